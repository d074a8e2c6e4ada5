import type { TextMapPropagator } from '@opentelemetry/api';
import { core } from '@opentelemetry/sdk-node';
import { isInnerHop } from './inner-hop.ts';

/** Takes up a valid `traceparent` of whoever calls, and hands it on to our own services alone. Baggage is neither read nor sent. */
export function createInnerHopPropagator(): TextMapPropagator {
  const traceContext = new core.W3CTraceContextPropagator();
  return {
    fields: () => traceContext.fields(),
    extract: (active, carrier, getter) => traceContext.extract(active, carrier, getter),
    inject(active, carrier, setter) {
      if (isInnerHop(active)) traceContext.inject(active, carrier, setter);
    },
  };
}
