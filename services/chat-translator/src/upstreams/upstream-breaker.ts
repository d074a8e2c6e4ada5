import { CircuitState, circuitBreaker, ConsecutiveBreaker, DelegateBackoff, handleWhen } from 'cockatiel';
import { TurnError } from '@zai2api/turn';
import { verdictOf } from './breaker-verdict.ts';

/** `half-open`: one call is let through to see. */
export const breakerStates = ['closed', 'open', 'half-open'] as const;
/** A state of the breaker: see `breakerStates`. */
export type BreakerState = (typeof breakerStates)[number];

/** What is known of a breaker. Times are milliseconds since the epoch. */
export interface BreakerReading {
  readonly state: BreakerState;
  /** When the next probe is let through; only while it is open. */
  readonly untilMs?: number;
  /** What opened it; only while it is not closed. */
  readonly error?: TurnError;
}

/** Keeps an upstream, or a credential, that fails again and again from being asked, and lets one call through now and then to see. */
export interface UpstreamBreaker {
  /** Runs the work, or throws the error that opened the breaker, with the time until the next probe. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** True when `run` would run now. */
  isPassable(): boolean;
  read(): BreakerReading;
}

/** When a breaker opens, and when it lets a probe through. Milliseconds. */
export interface BreakerOptions {
  /** So many failures in a row open it. */
  readonly threshold: number;
  /** The first wait until a probe; each failed probe doubles it, one that proved nothing does not. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Hears of every change. */
  readonly onChange?: (reading: BreakerReading) => void;
}

/**
 * A closed breaker. Failures are what speaks against the upstream; what is the client's fault or ours counts for nothing, but proves nothing
 * of a probe either: its breaker stays open. Only one probe runs at a time, and nobody waits for it.
 */
export function createUpstreamBreaker(options: BreakerOptions): UpstreamBreaker {
  const { threshold, firstWaitMs, longestWaitMs, onChange } = options;
  let waitMs = 0;
  let failedProbes = 0;
  let isUndecided = false;
  let untilMs = 0;
  let lastError: TurnError | undefined;

  const isFailure = (reason: unknown): boolean => {
    const error = TurnError.from(reason);
    const verdict = verdictOf(error);
    if (verdict === 'nothing' && policy.state !== CircuitState.HalfOpen) return false;
    if (verdict === 'bad') lastError = error;
    isUndecided = verdict === 'nothing';
    return true;
  };
  const policy = circuitBreaker(handleWhen(isFailure), {
    breaker: new ConsecutiveBreaker(threshold),
    halfOpenAfter: new DelegateBackoff(({ attempt }) => {
      if (attempt === 1) failedProbes = 0;
      else if (!isUndecided) failedProbes++;
      waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failedProbes, 30));
      return waitMs;
    }),
  });
  policy.onStateChange((state) => {
    // Not before the policy's own wait began: called a millisecond too early, it would throw an error of its own.
    if (state === CircuitState.Open) untilMs = Date.now() + waitMs;
    onChange?.(read());
  });

  function read(): BreakerReading {
    switch (policy.state) {
      case CircuitState.Open:
      case CircuitState.Isolated:
        return { state: 'open', untilMs, ...(lastError ? { error: lastError } : {}) };
      case CircuitState.HalfOpen:
        return { state: 'half-open', ...(lastError ? { error: lastError } : {}) };
      default:
        return { state: 'closed' };
    }
  }

  function isPassable(): boolean {
    if (policy.state === CircuitState.Open) return Date.now() >= untilMs;
    return policy.state === CircuitState.Closed;
  }

  return {
    async run(work) {
      if (!isPassable()) throw refusal(lastError, untilMs);
      const result = await policy.execute(() => settle(work));
      if ('refusal' in result) throw result.refusal;
      return result.value;
    },
    isPassable,
    read,
  };
}

/** A refusal that only an upstream gives that works counts as an answer. */
async function settle<T>(work: () => Promise<T>): Promise<{ readonly value: T } | { readonly refusal: TurnError }> {
  try {
    return { value: await work() };
  } catch (reason) {
    const error = TurnError.from(reason);
    if (verdictOf(error) === 'good') return { refusal: error };
    throw error;
  }
}

/** Why nothing is asked: what went wrong last, and when it will be asked again. */
function refusal(error: TurnError | undefined, untilMs: number): TurnError {
  const retryAfterSeconds = Math.max(1, Math.ceil((untilMs - Date.now()) / 1000));
  if (!error)
    return new TurnError('upstream_failed', 'The upstream is not asked at the moment: it failed again and again.', {
      layer: 'upstream',
      retryAfterSeconds,
    });
  const { recovery: _recovery, ...details } = error.details;
  const longer = Math.max(retryAfterSeconds, details.retryAfterSeconds ?? 0);
  return new TurnError(error.code, error.message, { ...details, retryAfterSeconds: longer });
}
