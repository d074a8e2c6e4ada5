import { context, propagation, ROOT_CONTEXT, SpanKind, trace, type Attributes, type Link } from '@opentelemetry/api';
import { inSpan, onInnerHop } from '@zai2api/runtime';

/** What a job says: which span asked for it, where there was one. */
export interface RefillJobData {
  readonly traceparent?: string;
}

const tracer = trace.getTracer('@zai2api/token-refresher');

/** Sends a job, or the template of many, in a producer span that the job will name. */
export function sendRefill<T>(queue: string, send: (data: RefillJobData) => Promise<T>): Promise<T> {
  const options = { kind: SpanKind.PRODUCER, attributes: messagingOf(queue, 'send') };
  return inSpan(tracer, `send ${queue}`, options, () => send(currentTrace()));
}

/**
 * Does what a job asks for in a trace of its own, with a link to what asked: a schedule made at a start has jobs for as long as the service
 * runs, and one trace for all of them would never end.
 */
export function processRefill<T>(
  queue: string,
  job: { readonly id?: string | undefined; readonly data: RefillJobData },
  work: () => Promise<T>,
): Promise<T> {
  const attributes = { ...messagingOf(queue, 'process'), 'messaging.message.id': job.id };
  return inSpan(
    tracer,
    `process ${queue}`,
    { kind: SpanKind.CONSUMER, root: true, attributes, links: linksOf(job.data) },
    work,
  );
}

/** Looks at the pool without a queue. */
export const lookAtPool = <T>(work: () => Promise<T>): Promise<T> => inSpan(tracer, 'refill', { root: true }, work);

function currentTrace(): RefillJobData {
  const carrier: { traceparent?: string } = {};
  onInnerHop(() => propagation.inject(context.active(), carrier));
  return carrier;
}

function linksOf(data: RefillJobData): Link[] {
  const sender = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, data));
  return sender ? [{ context: sender }] : [];
}

const messagingOf = (queue: string, operation: 'send' | 'process'): Attributes => ({
  'messaging.system': 'bullmq',
  'messaging.destination.name': queue,
  'messaging.operation.name': operation,
  'messaging.operation.type': operation,
});
