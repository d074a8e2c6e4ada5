import { TurnError } from '@zai2api/turn';

/** Part of the budget that one body takes up. */
export interface BodyClaim {
  /** Raises the part to `bytes`. Throws a TurnError `no_capacity` when there is no room: who has begun never waits, so that nobody blocks anybody. */
  grow(bytes: number): void;
  /** Gives all of it back. Calls after the first do nothing. */
  release(): void;
}

/** Bounds the bytes of all bodies that are held in memory at the same time. */
export interface BodyBudget {
  /**
   * Resolves when there is room for `bytes`, in order of arrival; a body that is larger than all of the budget gets all of it. Rejects with a
   * TurnError `no_capacity` when the wait took too long, and with the signal's reason when the signal aborts.
   */
  claim(bytes: number, signal: AbortSignal): Promise<BodyClaim>;
  /** Bytes that are claimed now. */
  claimed(): number;
}

interface Waiter {
  readonly bytes: number;
  readonly start: () => void;
}

/** Said to refused clients: a body is read and passed on within seconds, and the wait comes on top. */
const RETRY_AFTER_SECONDS = 2;

/** The budget of one process. */
export function createBodyBudget({ limit, waitMs }: { readonly limit: number; readonly waitMs: number }): BodyBudget {
  const waiting: Waiter[] = [];
  let used = 0;

  function startWaiters(): void {
    for (let first = waiting[0]; first && used + first.bytes <= limit; first = waiting[0]) {
      waiting.shift();
      first.start();
    }
  }

  function take(wanted: number): BodyClaim {
    let held = Math.min(wanted, limit);
    let isReleased = false;
    used += held;
    return {
      grow(bytes) {
        const more = Math.min(bytes, limit) - held;
        if (more <= 0 || isReleased) return;
        if (used + more > limit) throw refusal();
        held += more;
        used += more;
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        used -= held;
        startWaiters();
      },
    };
  }

  function wait(bytes: number, signal: AbortSignal): Promise<BodyClaim> {
    const { promise, resolve, reject } = Promise.withResolvers<BodyClaim>();
    const waiter: Waiter = {
      bytes: Math.min(bytes, limit),
      start() {
        stopWaiting();
        resolve(take(bytes));
      },
    };
    const leave = (reason: unknown): void => {
      stopWaiting();
      waiting.splice(waiting.indexOf(waiter), 1);
      reject(reason);
      // Who comes next may need less.
      startWaiters();
    };
    const timer = setTimeout(() => leave(refusal()), waitMs);
    const abort = (): void => leave(signal.reason);
    const stopWaiting = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    signal.addEventListener('abort', abort, { once: true });
    waiting.push(waiter);
    return promise;
  }

  return {
    async claim(bytes, signal) {
      signal.throwIfAborted();
      const hasRoom = waiting.length === 0 && used + Math.min(bytes, limit) <= limit;
      return hasRoom ? take(bytes) : wait(bytes, signal);
    },
    claimed: () => used,
  };
}

function refusal(): TurnError {
  return new TurnError('no_capacity', 'Too many large requests are being read. Try again in a moment.', {
    layer: 'gateway',
    reason: 'too_many_large_requests',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
