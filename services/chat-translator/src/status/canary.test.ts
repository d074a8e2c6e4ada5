import { describe, expect, it } from '@jest/globals';
import { TurnError, type ErrorCode } from '@zai2api/turn';
import { createCanary, type Canary } from './canary.ts';
import type { TryOutcome } from './judge-tries.ts';

const intervalMs = 60_000;

/** A canary whose clock and questions the test holds in its hands. */
function makeCanary(answers: readonly (ErrorCode | 'good' | 'skipped')[], random = 0) {
  let nowMs = 0;
  let timer: { onTime: () => void; ms: number } | undefined;
  let evidenceMs: number | undefined;
  const waits: number[] = [];
  const asked: string[] = [];
  let running = 0;
  let mostRunning = 0;
  let hold: Promise<void> | undefined;
  const signals: AbortSignal[] = [];

  const canary: Canary = createCanary({
    intervalMs,
    async ask(signal): Promise<TryOutcome | undefined> {
      signals.push(signal);
      mostRunning = Math.max(mostRunning, (running += 1));
      await hold;
      running -= 1;
      const answer = answers[asked.length] ?? 'good';
      if (answer === 'skipped') return undefined;
      evidenceMs = nowMs;
      if (answer === 'good') return { result: 'good' };
      return { result: 'failed', error: new TurnError(answer, 'x', { layer: 'upstream' }) };
    },
    lastEvidenceMs: () => evidenceMs,
    onAsked: (outcome) => void asked.push(outcome),
    now: () => nowMs,
    random: () => random,
    startTimer(onTime, ms) {
      waits.push(ms);
      timer = { onTime, ms };
      return () => (timer = undefined);
    },
  });
  return {
    canary,
    waits,
    asked,
    signals,
    mostRunning: () => mostRunning,
    isPlanned: () => timer !== undefined,
    traffic: (atMs: number) => (evidenceMs = atMs),
    holdBack: (promise: Promise<void>): void => {
      hold = promise;
    },
    /** Lets the planned time come, and what it starts end. */
    elapse: async (): Promise<void> => {
      const due = timer;
      timer = undefined;
      nowMs += due?.ms ?? 0;
      due?.onTime();
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
}

describe('createCanary', () => {
  it('asks once an interval while all is well', async () => {
    const { canary, waits, asked, elapse } = makeCanary([]);
    canary.start();
    for (let count = 0; count < 3; count += 1) await elapse();
    expect(waits).toEqual([intervalMs, intervalMs, intervalMs, intervalMs]);
    expect(asked).toEqual(['good', 'good', 'good']);
    await canary.stop();
  });

  it('does not ask while traffic tells', async () => {
    const { canary, waits, asked, elapse, traffic } = makeCanary([]);
    canary.start();
    traffic(40_000);
    await elapse();
    expect(asked).toEqual([]);
    expect(waits).toEqual([intervalMs, 40_000]);
    await elapse();
    expect(asked).toEqual(['good']);
    await canary.stop();
  });

  it('waits twice as long after each refusal, within an hour, and no longer after a success', async () => {
    const refusals = ['upstream_challenged', 'upstream_blocked', 'upstream_drifted'] as const;
    const { canary, waits, elapse } = makeCanary([...refusals, ...refusals, ...refusals, 'good', 'upstream_blocked']);
    canary.start();
    for (let count = 0; count < 11; count += 1) await elapse();
    expect(waits.map((ms) => ms / intervalMs)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 1, 2]);
    await canary.stop();
  });

  it('keeps its pace after a passing fault and when it could not ask', async () => {
    const { canary, waits, asked, elapse } = makeCanary(['upstream_timeout', 'skipped', 'upstream_failed']);
    canary.start();
    for (let count = 0; count < 3; count += 1) await elapse();
    expect(asked).toEqual(['upstream_timeout', 'skipped', 'upstream_failed']);
    expect(new Set(waits)).toEqual(new Set([intervalMs]));
    await canary.stop();
  });

  it('spreads its questions', async () => {
    const { canary, waits, elapse } = makeCanary([], 1);
    canary.start();
    await elapse();
    expect(waits).toEqual([intervalMs * 1.25, intervalMs * 1.25]);
    await canary.stop();
  });

  it('never asks twice at a time, and its stop ends the question that runs', async () => {
    const { canary, asked, elapse, holdBack, isPlanned, mostRunning, signals } = makeCanary([]);
    const answer = Promise.withResolvers<undefined>();
    holdBack(answer.promise);
    canary.start();
    await elapse();
    canary.start();
    expect(isPlanned()).toBe(false);
    const stopped = canary.stop();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    answer.resolve(undefined);
    await stopped;
    await canary.stop();
    expect([asked, isPlanned(), mostRunning()]).toEqual([[], false, 1]);
  });
});
