import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('@zai2api/credentials');

/**
 * Runs a command in a client span that says which of our scripts it is, and nothing of its arguments, which hold tokens. In the background,
 * where no span is active, there is none.
 */
export async function traceCommand<T>(
  operation: string,
  script: string | undefined,
  send: () => Promise<T>,
): Promise<T> {
  // A span that has ended is a parent, too: a lease is given back behind its turn.
  if (!trace.getActiveSpan()) return send();
  const span = tracer.startSpan(script === undefined ? operation : `${operation} ${script}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'db.system.name': 'redis',
      'db.operation.name': operation,
      'db.stored_procedure.name': script,
    },
  });
  try {
    return await context.with(trace.setSpan(context.active(), span), send);
  } catch (error) {
    // Its name alone: Redis repeats arguments in some of its texts.
    span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
