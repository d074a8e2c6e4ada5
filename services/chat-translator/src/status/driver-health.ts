import type { TurnError } from '@zai2api/turn';
import { judgeSupply, type Supply } from './judge-supply.ts';
import {
  EVIDENCE_MS,
  evidenceOf,
  judgeTries,
  rememberTry,
  type JudgedTry,
  type TryOutcome,
  type UpstreamState,
} from './judge-tries.ts';

/** The last failure of a driver, in our own words. */
export interface LastFailure {
  readonly atMs: number;
  readonly error: TurnError;
}

/** What is known of one driver at a time. All times are milliseconds since the epoch. */
export interface DriverHealth {
  readonly state: UpstreamState;
  /** When this process first saw it. */
  readonly sinceMs: number;
  readonly lastSuccessMs?: number;
  readonly lastFailure?: LastFailure;
  /** Of the last tries, at most ten, those that said something. */
  readonly recent: { readonly good: number; readonly failed: number };
}

/** Keeps one driver's health from what its tries and its supply tell. */
export interface HealthKeeper {
  /** To be called once per try that ended or began to answer; cheap. */
  observe(outcome: TryOutcome): void;
  /** The health as of now, with the supply as the caller knows it. */
  read(supply: Supply | undefined): DriverHealth;
  /** The same by the tries alone. */
  readTries(): DriverHealth;
  /** When a try last said something; undefined when none has. */
  lastEvidenceMs(): number | undefined;
}

/** Starts as `unknown`. `onChange` hears of changes that a try brought, not of those by age or supply. */
export function createHealthKeeper(options: {
  readonly now: () => number;
  readonly onChange?: (state: UpstreamState, before: UpstreamState, lastFailure: LastFailure | undefined) => void;
}): HealthKeeper {
  const { now, onChange } = options;
  let tries: readonly JudgedTry[] = [];
  let lastSuccessMs: number | undefined;
  let lastFailure: LastFailure | undefined;
  let byTries: { readonly state: UpstreamState; readonly sinceMs: number } = { state: 'unknown', sinceMs: now() };
  let shown = byTries;

  function judge(): typeof byTries {
    const nowMs = now();
    const state = judgeTries(tries, nowMs);
    if (state !== byTries.state) {
      const last = tries.at(-1);
      // Nothing happens when evidence gets old: it became so when it did, not when somebody asked.
      byTries = { state, sinceMs: state === 'unknown' && last ? last.atMs + EVIDENCE_MS : nowMs };
    }
    return byTries;
  }

  function describe(state: typeof byTries): DriverHealth {
    const good = tries.filter(({ evidence }) => evidence === 'good').length;
    return {
      ...state,
      ...(lastSuccessMs === undefined ? {} : { lastSuccessMs }),
      ...(lastFailure === undefined ? {} : { lastFailure }),
      recent: { good, failed: tries.length - good },
    };
  }

  return {
    observe(outcome) {
      const evidence = evidenceOf(outcome);
      if (evidence === 'nothing') return;
      const before = judge().state;
      const atMs = now();
      if (outcome.result === 'good') lastSuccessMs = atMs;
      else if (evidence !== 'good') lastFailure = { atMs, error: outcome.error };
      tries = rememberTry(tries, { atMs, evidence });
      const { state } = judge();
      if (state !== before) onChange?.(state, before, lastFailure);
    },
    read(supply) {
      const judged = judge();
      const state = judgeSupply(judged.state, supply);
      if (state === judged.state) shown = judged;
      else if (state !== shown.state) shown = { state, sinceMs: now() };
      return describe(shown);
    },
    readTries: () => describe(judge()),
    lastEvidenceMs: () => tries.at(-1)?.atMs,
  };
}
