import { TurnError } from '@zai2api/turn';
import PQueue from 'p-queue';
import type { ConcurrencyLimiter, ConcurrencySlot } from './concurrency-limiter.ts';

/** Said to refused clients. A turn ends within seconds, and the wait in the queue comes on top. */
const RETRY_AFTER_SECONDS = 2;

/** The limiter of one process. A wait of 0 ms refuses at once whatever cannot start at once. */
export function createMemoryConcurrencyLimiter(options: {
  readonly limit: number;
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
}): ConcurrencyLimiter {
  const { limit, queueSize, queueTimeoutMs } = options;
  const queue = new PQueue({ concurrency: limit });
  let running = 0;

  function acquire(signal: AbortSignal): Promise<ConcurrencySlot> {
    const isFull = running >= limit && (queueTimeoutMs === 0 || queue.size >= queueSize);
    if (isFull) return Promise.reject(refusal());
    const slot = Promise.withResolvers<ConcurrencySlot>();
    // Its own signal, because it must lose its meaning once the turn runs: the slot is then freed by release() alone.
    const waiting = new AbortController();
    const leave = (): void => waiting.abort(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    const timer = setTimeout(() => waiting.abort(refusal()), queueTimeoutMs);
    const stopWaiting = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    };
    const run = (): Promise<void> => {
      stopWaiting();
      running++;
      return new Promise((resolve) => {
        let isHeld = true;
        slot.resolve({
          release: () => {
            if (isHeld) running--;
            isHeld = false;
            resolve();
          },
        });
      });
    };
    queue.add(run, { signal: waiting.signal }).finally(stopWaiting).catch(slot.reject);
    return slot.promise;
  }

  return { acquire, waiting: () => queue.size };
}

function refusal(): TurnError {
  return new TurnError('rate_limited', 'Too many requests run at the same time. Try again in a moment.', {
    layer: 'gateway',
    reason: 'concurrency_limit_exceeded',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
