import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { TurnError } from '@zai2api/turn';

/** Names the span of the running request after its route, such as `/v1/models/{id}`: the method alone says little. */
export function nameServerSpan(method: string, route: string): void {
  trace.getActiveSpan()?.updateName(`${method} ${route}`).setAttribute('http.route', route);
}

/**
 * Notes the closed code of what went wrong in the span of the running request. `hasStatus`: the HTTP status says the rest; else, in a
 * stream, the span counts as failed.
 */
export function noteServerError({ code }: TurnError, { hasStatus }: { readonly hasStatus: boolean }): void {
  const span = trace.getActiveSpan()?.setAttribute('error.type', code);
  if (!hasStatus) span?.setStatus({ code: SpanStatusCode.ERROR });
}
