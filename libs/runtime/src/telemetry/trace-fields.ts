import { isSpanContextValid, trace } from '@opentelemetry/api';

/** What a log line says of the trace that it belongs to: nothing, where no span is active. */
export function traceFields(): { readonly trace_id?: string; readonly span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
