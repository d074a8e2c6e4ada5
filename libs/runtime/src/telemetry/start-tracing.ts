import { createRequire } from 'node:module';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK, resources } from '@opentelemetry/sdk-node';
import {
  incomingSpanAttributes,
  isQuietRequest,
  markCutResponse,
  outgoingSpanAttributes,
} from './http-span-attributes.ts';
import { createInnerHopPropagator } from './inner-hop-propagator.ts';
import { readService } from './read-service.ts';
import { reportExportFaults } from './report-export-faults.ts';

/**
 * Starts the SDK, which reads the standard `OTEL_*` variables itself: exporter, endpoint, headers, sampler, batch. Traces only; metrics are
 * Prometheus, logs are lines. Exceptions and their stacks stay out of the spans, which name types and network faults: the log has the rest,
 * with the trace's id.
 */
export function startTracing(env: Readonly<Record<string, string | undefined>>): void {
  const { name, version } = readService(process.argv[1]);
  if (!env['OTEL_LOG_LEVEL']) reportExportFaults(name);
  const sdk = new NodeSDK({
    // Below what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say.
    resource: resources.defaultResource().merge(
      resources.resourceFromAttributes({
        'service.namespace': 'zai2api',
        'service.name': name,
        ...(version !== undefined && { 'service.version': version }),
      }),
    ),
    // Not the process's own: its command line is nobody's business.
    ...(!env['OTEL_NODE_RESOURCE_DETECTORS'] && {
      resourceDetectors: [resources.envDetector, resources.hostDetector, resources.serviceInstanceIdDetector],
    }),
    textMapPropagator: createInnerHopPropagator(),
    // An exception's event would hold its text and stack.
    spanLimits: { eventCountLimit: 0 },
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: isQuietRequest,
        startIncomingSpanHook: incomingSpanAttributes,
        applyCustomAttributesOnSpan: (span, _request, response) => {
          if ('writableFinished' in response) markCutResponse(span, response);
        },
        disableOutgoingRequestInstrumentation: true,
      }),
      new UndiciInstrumentation({ startSpanHook: outgoingSpanAttributes }),
    ],
  });
  sdk.start();
  // Builtin modules are patched when they are required, and in place: who imports them gets the same.
  createRequire(import.meta.url)('node:http');
}
