import { context, SpanStatusCode, trace, type Span, type SpanOptions, type Tracer } from '@opentelemetry/api';
import { TurnError } from '@zai2api/turn';

/** Runs `work` in a span of its own, which ends with it; a failure is told by its closed code. */
export async function inSpan<T>(
  tracer: Tracer,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, options);
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(span));
  } catch (reason) {
    failSpan(span, reason);
    throw reason;
  } finally {
    span.end();
  }
}

/** Marks a span as failed: the code, and no text. */
export function failSpan(span: Span, reason: unknown): void {
  span.setAttribute('error.type', TurnError.from(reason).code).setStatus({ code: SpanStatusCode.ERROR });
}
