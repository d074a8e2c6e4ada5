import type { TurnError } from '@zai2api/turn';
import type { LeaseRequest } from './credential-store.ts';
import type { StartTimer } from './start-timer.ts';

/** One lease request in the queue. Granting or refusing takes it out. */
export interface Waiter<T, R = LeaseRequest> {
  readonly request: R;
  /** When its wait is over, milliseconds since the epoch. */
  readonly deadlineMs: number;
  grant(value: T): void;
  refuse(error: TurnError): void;
}

/** Those who wait, in the order they came. */
export interface WaitQueue<T, R = LeaseRequest> {
  /** Waits to be granted; rejects by itself at its deadline with `onTimeout`'s error, and at once when its signal aborts. */
  join(request: R, deadlineMs: number, onTimeout: () => TurnError): Promise<T>;
  /** Safe to grant and refuse while iterating. */
  waiters(): Iterable<Waiter<T, R>>;
  /** False once it was granted, refused, or left. */
  has(waiter: Waiter<T, R>): boolean;
  readonly size: number;
}

/** A first-come-first-served queue that is served by its owner; it never polls. */
export function createWaitQueue<T, R extends Pick<LeaseRequest, 'signal'> = LeaseRequest>(options: {
  now(): number;
  startTimer: StartTimer;
}): WaitQueue<T, R> {
  const queue = new Set<Waiter<T, R>>();

  return {
    join(request, deadlineMs, onTimeout) {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const { signal } = request;
      const leave = (): void => {
        queue.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        cancelTimer();
      };
      const waiter: Waiter<T, R> = {
        request,
        deadlineMs,
        grant(value) {
          leave();
          resolve(value);
        },
        refuse(error) {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort);
      const cancelTimer = options.startTimer(deadlineMs - options.now(), () => waiter.refuse(onTimeout()));
      queue.add(waiter);
      return promise;
    },
    waiters: () => queue.values(),
    has: (waiter) => queue.has(waiter),
    get size() {
      return queue.size;
    },
  };
}
