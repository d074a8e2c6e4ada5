import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import fc from 'fast-check';
import { createUpstreamBreaker, type UpstreamBreaker } from './upstream-breaker.ts';

const options = { threshold: 3, firstWaitMs: 1_000, longestWaitMs: 8_000 };
const errors = {
  failed: new TurnError('upstream_failed', 'Failed.', { layer: 'upstream', recovery: 'repeat' }),
  challenged: new TurnError('upstream_challenged', 'Challenged.', { layer: 'upstream', retryAfterSeconds: 60 }),
  // Say that the upstream works.
  busy: new TurnError('upstream_busy', 'Busy.', { layer: 'upstream', reason: 'model_busy' }),
  refused: new TurnError('content_refused', 'Refused.', { layer: 'upstream' }),
  // Say nothing about it.
  cancelled: new TurnError('cancelled', 'Left.', { layer: 'client' }),
  noCapacity: new TurnError('no_capacity', 'None.', { layer: 'pool' }),
  drifted: new TurnError('upstream_drifted', 'Drifted.', { layer: 'upstream' }),
};
type Outcome = 'good' | keyof typeof errors;
const isBad = (outcome: Outcome): boolean => outcome === 'failed' || outcome === 'challenged';
const isNothing = (outcome: Outcome): boolean => ['cancelled', 'noCapacity', 'drifted'].includes(outcome);

async function call(breaker: UpstreamBreaker, outcome: Outcome): Promise<{ ran: boolean; error: unknown }> {
  let ran = false;
  try {
    await breaker.run(async () => {
      ran = true;
      if (outcome !== 'good') throw errors[outcome];
    });
    return { ran, error: undefined };
  } catch (error) {
    return { ran, error };
  }
}

beforeEach(() => {
  jest.useFakeTimers({
    now: 0,
    doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'setTimeout', 'performance'],
  });
});
afterEach(() => void jest.useRealTimers());
const advance = (ms: number): unknown => jest.setSystemTime(Date.now() + ms);

const outcomes = fc.constantFrom<Outcome>(
  'good',
  'failed',
  'failed',
  'failed',
  'challenged',
  'refused',
  'cancelled',
  'noCapacity',
  'busy',
  'drifted',
);

describe('a breaker, by any story', () => {
  it('opens after so many failures in a row, waits, probes once, and doubles its wait after a failed probe', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: outcomes },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 12_000 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const breaker = createUpstreamBreaker(options);
        // The model: what the story so far must have led to.
        let inRow = 0;
        let openUntilMs: number | undefined;
        let waits = 0;
        for (const each of steps) {
          if (typeof each === 'number') {
            advance(each);
            continue;
          }
          const mayRun = openUntilMs === undefined || Date.now() >= openUntilMs;
          expect(breaker.isPassable()).toBe(mayRun);
          const { ran, error } = await call(breaker, each);
          expect(ran).toBe(mayRun);
          if (!mayRun) {
            expect(TurnError.is(error) && error.details.recovery).toBe(undefined);
            expect(TurnError.is(error) && (error.details.retryAfterSeconds ?? 0) * 1000).toBeGreaterThanOrEqual(
              (openUntilMs ?? 0) - Date.now(),
            );
            continue;
          }
          expect(error).toBe(each === 'good' ? undefined : errors[each]);
          const isProbe = openUntilMs !== undefined;
          if (isProbe ? isBad(each) || isNothing(each) : isBad(each) && ++inRow >= options.threshold) {
            if (isProbe && isBad(each)) waits += 1;
            openUntilMs = Date.now() + Math.min(options.longestWaitMs, options.firstWaitMs * 2 ** waits);
          } else if (!isNothing(each) && !isBad(each)) {
            [inRow, openUntilMs, waits] = [0, undefined, 0];
          }
          expect(breaker.read().state).toBe(openUntilMs === undefined ? 'closed' : 'open');
          expect(breaker.read().untilMs).toBe(openUntilMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never lets two probes run at a time, nor anything before its time, however calls overlap', async () => {
    const begin = fc.record({ type: fc.constant('begin' as const) });
    const end = fc.record({ type: fc.constant('end' as const), at: fc.nat(), outcome: outcomes });
    const pass = fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(begin, end, pass), { maxLength: 60 }), async (steps) => {
        const breaker = createUpstreamBreaker(options);
        let probing = 0;
        const running: { finish: (outcome: Outcome) => void; settled: Promise<unknown> }[] = [];
        for (const step of steps) {
          if (step.type === 'pass') advance(step.ms);
          if (step.type === 'end') {
            const [one] = running.splice(step.at % Math.max(1, running.length), 1);
            one?.finish(step.outcome);
            await one?.settled;
          }
          if (step.type !== 'begin') continue;
          const { state, untilMs = 0 } = breaker.read();
          const gate = Promise.withResolvers<Outcome>();
          const seen = { ran: false };
          const settled = breaker
            .run(async () => {
              seen.ran = true;
              if (state !== 'closed') probing += 1;
              expect(probing).toBeLessThanOrEqual(1);
              const outcome = await gate.promise;
              if (state !== 'closed') probing -= 1;
              if (outcome !== 'good') throw errors[outcome];
            })
            .catch(() => undefined);
          await new Promise(setImmediate);
          if (state === 'half-open' || (state === 'open' && Date.now() < untilMs)) expect(seen.ran).toBe(false);
          else expect(seen.ran).toBe(true);
          if (seen.ran) running.push({ finish: gate.resolve, settled });
        }
        for (const one of running) one.finish('good');
        await Promise.all(running.map(({ settled }) => settled));
      }),
      { numRuns: 200 },
    );
  });
});

describe('what an open breaker says', () => {
  it('is what opened it, with the longer of its own wait and the upstream’s', async () => {
    const breaker = createUpstreamBreaker(options);
    for (let count = 0; count < options.threshold; count += 1) await call(breaker, 'challenged');
    advance(400);
    const { error } = await call(breaker, 'good');
    expect(error).toMatchObject({
      code: 'upstream_challenged',
      message: 'Challenged.',
      details: { retryAfterSeconds: 60 },
    });
    expect(breaker.read()).toMatchObject({ state: 'open', untilMs: 1_000, error: { code: 'upstream_challenged' } });
  });

  it('is heard with every change', async () => {
    const states: string[] = [];
    const breaker = createUpstreamBreaker({ ...options, onChange: ({ state }) => states.push(state) });
    for (let count = 0; count < options.threshold; count += 1) await call(breaker, 'failed');
    advance(1_000);
    await call(breaker, 'good');
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });
});

it('lets a probe through at the very time that it names, though the clock went on while it opened', async () => {
  const firstWaitMs = 1_000;
  let readings = [0, 1];
  const clock = jest
    .spyOn(Date, 'now')
    .mockImplementation(() => (readings.length > 1 ? readings.shift()! : readings[0]!));
  const breaker = createUpstreamBreaker({ threshold: 1, firstWaitMs, longestWaitMs: 8_000 });
  const failed = new TurnError('upstream_failed', 'Failed.', { layer: 'upstream' });
  await expect(breaker.run(() => Promise.reject(failed))).rejects.toBe(failed);
  const { untilMs = 0 } = breaker.read();
  readings = [untilMs];
  expect(breaker.isPassable()).toBe(true);
  expect(await breaker.run(() => Promise.resolve('well'))).toBe('well');
  clock.mockRestore();
});
