import type { Cluster, Redis } from 'ioredis';
import { storeUnavailable } from './store-unavailable.ts';

/** A connection to Redis, or the several ones to a Cluster. */
export type RedisClient = Redis | Cluster;

/** The part of a logger that the store uses. */
export interface StoreLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Between Redis and those who must not hang when it does. */
export interface RedisGuard {
  /**
   * Runs commands. Rejects with `store_unavailable` when they fail or take too long, and at once while Redis is known not to answer;
   * what was sent may then still have happened.
   */
  run<T>(send: () => Promise<T>): Promise<T>;
  /** Redis is known not to answer: `run` sends nothing. */
  readonly isDown: boolean;
  /** No more probes. */
  stop(): void;
}

/** How soon after an unanswered probe the next one follows. */
const PROBE_PAUSE_MS = 250;

/**
 * A breaker: after the first command that gets no answer within `timeoutMs`, nobody else waits for one, until a probe in the background is
 * answered. A refusal by Redis itself is an answer, and a process that stood still gives it more time. Changes are logged once each. It is for
 * connections that have no timeout of their own (`openRedis` with the role `guarded`).
 */
export function guardRedis(options: {
  timeoutMs: number;
  probe: () => Promise<unknown>;
  logger: StoreLogger;
  onDown?: () => void;
  onUp?: () => void;
  /** Who does not answer, for the log. */
  what?: string;
  /** What those get who ask in vain; default: `store_unavailable`. */
  refusal?: (fault: string) => Error;
}): RedisGuard {
  const { timeoutMs, probe, logger, what = 'the credential store', refusal = storeUnavailable } = options;
  let down: { readonly sinceMs: number; readonly fault: string } | undefined;
  let probeTimer: NodeJS.Timeout | undefined;
  let stopped = false;

  function goDown(fault: string): void {
    if (down || stopped) return;
    down = { sinceMs: performance.now(), fault };
    logger.warn({ reason: fault }, `${what} does not answer`);
    probeSoon();
    options.onDown?.();
  }

  function goUp(): void {
    if (!down || stopped) return;
    const downMs = Math.round(performance.now() - down.sinceMs);
    down = undefined;
    logger.info({ downMs }, `${what} answers again`);
    options.onUp?.();
  }

  function probeSoon(): void {
    probeTimer = setTimeout(() => {
      withinTime(probe, timeoutMs).then(goUp, (error: unknown) => {
        if (isReply(error)) goUp();
        else if (!stopped) probeSoon();
      });
    }, PROBE_PAUSE_MS);
    probeTimer.unref();
  }

  return {
    async run(send) {
      if (down) throw refusal(down.fault);
      try {
        return await withinTime(send, timeoutMs);
      } catch (error) {
        const fault = nameFault(error);
        if (!isReply(error)) goDown(fault);
        throw refusal(fault);
      }
    },
    get isDown() {
      return down !== undefined;
    },
    stop() {
      stopped = true;
      clearTimeout(probeTimer);
    },
  };
}

class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** A timer that is later than this says that the process stood still, or that its machine had no time for it. */
const STANDSTILL_MS = 100;

/**
 * What `send` gives; rejects when that takes longer than `timeoutMs`. When it was this process that had no time, the time is given once more,
 * and what has come meanwhile counts.
 */
export async function withinTime<T>(send: () => Promise<T>, timeoutMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  let isLastTime = false;
  function startTimer(): void {
    const dueAtMs = performance.now() + timeoutMs;
    timer = setTimeout(() => {
      if (!isLastTime && performance.now() - dueAtMs > STANDSTILL_MS) {
        isLastTime = true;
        startTimer();
        // Behind the turn of the event loop that reads what has come: timers come before it.
      } else setImmediate(() => late.reject(new NoAnswer()));
    }, timeoutMs);
  }
  startTimer();
  const sent = send();
  // Nobody hears of what comes after the time.
  sent.catch(() => undefined);
  try {
    return await Promise.race([sent, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Redis answered, if only to refuse. While it loads its data or a Cluster has no majority it answers, too, and nothing can be done. */
const isReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError';

/** The first word of a refusal, or the code of a connection fault. Never more: Redis repeats arguments in some of its texts. */
function nameFault(error: unknown): string {
  if (isReply(error)) return /^[A-Z]+/.exec(error.message)?.[0] ?? error.name;
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return 'unknown';
}
