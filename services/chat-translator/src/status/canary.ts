import type { TurnError } from '@zai2api/turn';
import { evidenceOf, isRefusal, type TryOutcome } from './judge-tries.ts';

/** A minimal question of our own, asked when no traffic tells how the upstream is. */
export interface Canary {
  /** Begins to watch; the first question comes one interval later at the soonest. */
  start(): void;
  /** Ends a running question and resolves when nothing runs any more. Idempotent. */
  stop(): Promise<void>;
}

/** When to ask, and what has been learnt without asking. Milliseconds. */
export interface CanaryOptions {
  readonly intervalMs: number;
  /** Asks once and tells how it went; undefined when it could not be asked. Ends soon after the signal aborts; must not throw. */
  readonly ask: (signal: AbortSignal) => Promise<TryOutcome | undefined>;
  /** When a try, of traffic or of a canary, last told something; milliseconds of `now`. */
  readonly lastEvidenceMs: () => number | undefined;
  readonly onAsked: (outcome: 'good' | 'skipped' | TurnError['code']) => void;
  readonly now: () => number;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  /** Calls back once after `ms`; returns the way to call it off. */
  readonly startTimer: (onTime: () => void, ms: number) => () => void;
}

/** A refusal is waited out: each further one doubles the wait, up to this, or to the interval when that is longer. */
const LONGEST_WAIT_MS = 3_600_000;
/** Replicas that started together must not ask together. */
const JITTER = 0.25;

/**
 * A watch that never asks twice at a time, nor more than once an interval. While the upstream refuses us (challenged, blocked, drifted)
 * the waits double.
 */
export function createCanary(options: CanaryOptions): Canary {
  const { intervalMs, ask, lastEvidenceMs, onAsked, now, random, startTimer } = options;
  const controller = new AbortController();
  let callOff: (() => void) | undefined;
  let asking: Promise<void> | undefined;
  let refusals = 0;

  function plan(ms: number): void {
    if (controller.signal.aborted) return;
    callOff = startTimer(look, Math.ceil(ms));
  }

  function look(): void {
    const lastMs = lastEvidenceMs();
    const sinceMs = lastMs === undefined ? Number.POSITIVE_INFINITY : now() - lastMs;
    // Traffic has told already; whatever it told, the next question is due an interval later.
    if (sinceMs < intervalMs) plan(intervalMs - sinceMs);
    else asking = askOnce().finally(() => (asking = undefined));
  }

  async function askOnce(): Promise<void> {
    const outcome = await ask(controller.signal);
    if (controller.signal.aborted) return;
    onAsked(outcome === undefined ? 'skipped' : outcome.result === 'good' ? 'good' : outcome.error.code);
    // What could not be asked has told nothing, and asked nothing of the upstream.
    if (outcome) refusals = isRefusal(evidenceOf(outcome)) ? refusals + 1 : 0;
    const grownMs = Math.min(intervalMs * 2 ** Math.min(refusals, 20), Math.max(intervalMs, LONGEST_WAIT_MS));
    plan(grownMs * (1 + JITTER * random()));
  }

  return {
    start() {
      if (callOff === undefined) plan(intervalMs * (1 + JITTER * random()));
    },
    async stop() {
      controller.abort();
      callOff?.();
      await asking;
    },
  };
}
