import { describe, expect, it } from '@jest/globals';
import { TurnError, type ErrorCode } from '@zai2api/turn';
import { createHealthKeeper, type HealthKeeper } from './driver-health.ts';
import type { Supply } from './judge-supply.ts';
import { EVIDENCE_MS } from './judge-tries.ts';

const startMs = 1_000_000;
const none = { ready: 0, leased: 0, coolingDown: 0, challenged: 0, expired: 0, total: 0 };
const emptyAndChallenged: Supply = {
  poolState: { state: 'challenged', untilMs: startMs + 60_000, reason: 'x' },
  counts: { guest: none, user: none, waiting: 0 },
};

function makeKeeper(): {
  keeper: HealthKeeper;
  changes: string[];
  pass: (ms: number) => void;
  fail: (code: ErrorCode) => void;
} {
  let nowMs = startMs;
  const changes: string[] = [];
  const keeper = createHealthKeeper({
    now: () => nowMs,
    onChange: (state, before, lastFailure) => changes.push(`${before} ${state} ${lastFailure?.error.code ?? '-'}`),
  });
  return {
    keeper,
    changes,
    pass(ms) {
      nowMs += ms;
    },
    fail: (code) => keeper.observe({ result: 'failed', error: new TurnError(code, code, { layer: 'upstream' }) }),
  };
}

describe('createHealthKeeper', () => {
  it('knows nothing at first', () => {
    const { keeper } = makeKeeper();
    expect(keeper.readTries()).toEqual({ state: 'unknown', sinceMs: startMs, recent: { good: 0, failed: 0 } });
    expect(keeper.lastEvidenceMs()).toBeUndefined();
  });

  it('keeps since when, the last success and the last failure', () => {
    const { keeper, pass, fail } = makeKeeper();
    keeper.observe({ result: 'good' });
    pass(1_000);
    fail('upstream_challenged');
    pass(1_000);
    fail('upstream_challenged');
    expect(keeper.readTries()).toMatchObject({
      state: 'challenged',
      sinceMs: startMs + 1_000,
      lastSuccessMs: startMs,
      lastFailure: { atMs: startMs + 2_000, error: { code: 'upstream_challenged' } },
      recent: { good: 1, failed: 2 },
    });
    pass(1_000);
    keeper.observe({ result: 'good' });
    expect(keeper.readTries()).toMatchObject({
      state: 'ok',
      sinceMs: startMs + 3_000,
      lastSuccessMs: startMs + 3_000,
      lastFailure: { atMs: startMs + 2_000 },
    });
    expect(keeper.lastEvidenceMs()).toBe(startMs + 3_000);
  });

  it('takes no notice of what says nothing about the upstream', () => {
    const { keeper, fail } = makeKeeper();
    for (const code of ['cancelled', 'internal', 'no_capacity', 'model_not_found'] as const) fail(code);
    expect(keeper.readTries()).toEqual({ state: 'unknown', sinceMs: startMs, recent: { good: 0, failed: 0 } });
    // A refusal of content is an answer: neither the last success nor a failure.
    fail('content_refused');
    expect(keeper.readTries()).toEqual({ state: 'ok', sinceMs: startMs, recent: { good: 1, failed: 0 } });
  });

  it('tells each change once', () => {
    const { keeper, changes, fail } = makeKeeper();
    keeper.observe({ result: 'good' });
    keeper.observe({ result: 'good' });
    fail('upstream_blocked');
    fail('upstream_blocked');
    fail('upstream_drifted');
    keeper.observe({ result: 'good' });
    expect(changes).toEqual([
      'unknown ok -',
      'ok blocked upstream_blocked',
      'blocked drifted upstream_drifted',
      'drifted ok upstream_drifted',
    ]);
  });

  it('knows nothing again half an hour after the last try, whenever it is asked', () => {
    const { keeper, pass, fail } = makeKeeper();
    fail('upstream_blocked');
    pass(3 * EVIDENCE_MS);
    expect(keeper.readTries()).toMatchObject({ state: 'unknown', sinceMs: startMs + EVIDENCE_MS });
  });

  it('reads the supply together with the tries', () => {
    const { keeper, pass } = makeKeeper();
    keeper.observe({ result: 'good' });
    pass(1_000);
    expect(keeper.read(emptyAndChallenged)).toMatchObject({ state: 'challenged', sinceMs: startMs + 1_000 });
    pass(1_000);
    expect(keeper.read(emptyAndChallenged).sinceMs).toBe(startMs + 1_000);
    expect(keeper.readTries().state).toBe('ok');
    expect(keeper.read(undefined)).toMatchObject({ state: 'ok', sinceMs: startMs });
  });
});
