import { TurnError } from '@zai2api/turn';

/** The right to run one turn. */
export interface ConcurrencySlot {
  /** Gives the right to the next waiter. Calls after the first do nothing. */
  release(): void;
}

/** Bounds how many turns run at the same time, of all keys together and of each. */
export interface ConcurrencyLimiter {
  /**
   * Resolves when a turn of `key` may run. Keys take turns, so that nobody waits for all that somebody else has queued; within a key it goes
   * by arrival. Rejects with a TurnError `rate_limited` when too many wait or the wait took too long, and with the signal's reason, leaving
   * the queue at once, when the signal aborts.
   */
  acquire(key: string, signal: AbortSignal): Promise<ConcurrencySlot>;
  /** How many wait now. */
  waiting(): number;
}

interface Waiter {
  start(): void;
  refuse(): void;
}

/** What one key runs and waits for. */
interface KeyQueue {
  running: number;
  /** Number of its latest start among all starts; 0 before the first. */
  lastStart: number;
  readonly waiters: Waiter[];
}

/** How many turns run and wait at the same time, in all and for one key. Milliseconds. */
export interface ConcurrencyLimits {
  readonly limit: number;
  /** For the turns of one key; 0: only `limit` counts. */
  readonly limitPerKey: number;
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
}

/** Said to refused clients. A turn ends within seconds, and the wait in the queue comes on top. */
const RETRY_AFTER_SECONDS = 2;

/**
 * The limiter of one process. A wait of 0 ms refuses at once whatever cannot start at once. When the queue is full, a key with fewer waiters
 * takes the last place of the key that has most.
 */
export function createConcurrencyLimiter(limits: ConcurrencyLimits): ConcurrencyLimiter {
  const { limit, limitPerKey, queueSize, queueTimeoutMs } = limits;
  const queues = new Map<string, KeyQueue>();
  let starts = 0;
  let running = 0;
  let waiting = 0;

  const mayRun = (queue: KeyQueue): boolean => running < limit && (limitPerKey === 0 || queue.running < limitPerKey);

  /** The turn goes to the key that has waited longest for one. */
  function startWaiters(): void {
    while (waiting > 0 && running < limit) {
      let next: KeyQueue | undefined;
      for (const queue of queues.values()) {
        if (queue.waiters.length > 0 && mayRun(queue) && (!next || queue.lastStart < next.lastStart)) next = queue;
      }
      if (next === undefined) return;
      next.waiters[0]?.start();
    }
  }

  function run(key: string, queue: KeyQueue): ConcurrencySlot {
    running++;
    queue.running++;
    queue.lastStart = ++starts;
    queues.set(key, queue);
    let isHeld = true;
    return {
      release() {
        if (!isHeld) return;
        isHeld = false;
        running--;
        queue.running--;
        forgetIfIdle(key, queue);
        startWaiters();
      },
    };
  }

  function forgetIfIdle(key: string, queue: KeyQueue): void {
    if (queue.running === 0 && queue.waiters.length === 0) queues.delete(key);
  }

  /** Whether there is a place in the queue, if need be at the cost of the key that has most of them. */
  function findPlace(queue: KeyQueue): boolean {
    if (waiting < queueSize) return true;
    const longest = [...queues.values()].reduce((one, other) =>
      other.waiters.length > one.waiters.length ? other : one,
    );
    if (longest.waiters.length <= queue.waiters.length + 1) return false;
    longest.waiters.at(-1)?.refuse();
    return true;
  }

  function wait(key: string, queue: KeyQueue, signal: AbortSignal): Promise<ConcurrencySlot> {
    const { promise, resolve, reject } = Promise.withResolvers<ConcurrencySlot>();
    const leaveQueue = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      queue.waiters.splice(queue.waiters.indexOf(waiter), 1);
      waiting--;
    };
    const leave = (reason: unknown): void => {
      leaveQueue();
      forgetIfIdle(key, queue);
      reject(reason);
    };
    const waiter: Waiter = {
      start() {
        leaveQueue();
        resolve(run(key, queue));
      },
      refuse: () => leave(refusal()),
    };
    const abort = (): void => leave(signal.reason);
    const timer = setTimeout(() => waiter.refuse(), queueTimeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    queue.waiters.push(waiter);
    queues.set(key, queue);
    waiting++;
    return promise;
  }

  return {
    async acquire(key, signal) {
      signal.throwIfAborted();
      const queue = queues.get(key) ?? { running: 0, lastStart: 0, waiters: [] };
      if (queue.waiters.length === 0 && mayRun(queue)) return run(key, queue);
      if (queueTimeoutMs === 0 || !findPlace(queue)) throw refusal();
      return wait(key, queue, signal);
    },
    waiting: () => waiting,
  };
}

function refusal(): TurnError {
  return new TurnError('rate_limited', 'Too many requests run at the same time. Try again in a moment.', {
    layer: 'gateway',
    reason: 'concurrency_limit_exceeded',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
