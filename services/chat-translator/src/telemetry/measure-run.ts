import { isContentEvent, TurnError, type TurnEvent } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';
import { CHAT, PROVIDER } from './gen-ai-names.ts';

/** What is measured of a try at an upstream. */
export type RunMetrics = Pick<TranslatorMetrics, 'operationDuration' | 'timeToFirstChunk' | 'timePerOutputChunk'>;

/**
 * One try at an upstream, measured from now on as the client of a model measures it (contract 6.2): what the house adds, such as the wait for a
 * credential and earlier tries, is in the times that clients of ours see. `now` in milliseconds.
 */
export function measureRun(
  run: AsyncIterator<TurnEvent[], unknown, unknown>,
  { model, signal }: { readonly model: string; readonly signal: AbortSignal },
  metrics: RunMetrics,
  now: () => number = () => performance.now(),
): AsyncIterator<TurnEvent[], unknown, unknown> {
  const labels = { gen_ai_operation_name: CHAT, gen_ai_provider_name: PROVIDER, gen_ai_request_model: model };
  const startedAtMs = now();
  let lastChunkAtMs: number | undefined;
  let isOver = false;

  function close(error?: TurnError): void {
    if (isOver) return;
    isOver = true;
    const outcome = { ...labels, ...(error && { error_type: error.code }) };
    metrics.operationDuration.observe(outcome, (now() - startedAtMs) / 1000);
  }

  function look(batch: readonly TurnEvent[]): void {
    if (batch.some(isContentEvent)) {
      const atMs = now();
      if (lastChunkAtMs === undefined) metrics.timeToFirstChunk.observe(labels, (atMs - startedAtMs) / 1000);
      else metrics.timePerOutputChunk.observe(labels, (atMs - lastChunkAtMs) / 1000);
      lastChunkAtMs = atMs;
    }
    const last = batch.at(-1);
    if (last?.type === 'turn-end') close();
    else if (last?.type === 'turn-error') close(TurnError.from(last.error));
  }

  return {
    async next() {
      try {
        const next = await run.next();
        if (next.done === true) close();
        else look(next.value);
        return next;
      } catch (reason) {
        close(TurnError.from(signal.aborted ? signal.reason : reason));
        throw reason;
      }
    },
    async return() {
      close(signal.aborted ? TurnError.from(signal.reason) : undefined);
      return (await run.return?.()) ?? { done: true, value: undefined };
    },
  };
}
