import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@zai2api/runtime';
import { createIntervalSchedule } from './interval-schedule.ts';
import type { TickResult } from './refill-schedule.ts';

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const LONG_MS = 60_000;

/** Ticks that the test begins to wait for and ends itself. */
function createTicks(): {
  readonly tick: (signal: AbortSignal) => Promise<TickResult>;
  next(): Promise<{ signal: AbortSignal; end(result?: TickResult): void; fail(error: Error): void }>;
  readonly mostAtOnce: number;
} {
  type Started = Awaited<ReturnType<ReturnType<typeof createTicks>['next']>>;
  const started: Started[] = [];
  const wanted: ((tick: Started) => void)[] = [];
  let running = 0;
  let mostAtOnce = 0;
  return {
    tick(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<TickResult>();
      mostAtOnce = Math.max(mostAtOnce, ++running);
      const entry: Started = { signal, end: (result = {}) => resolve(result), fail: reject };
      const waiting = wanted.shift();
      if (waiting) waiting(entry);
      else started.push(entry);
      return promise.finally(() => running--);
    },
    next() {
      const first = started.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => wanted.push(resolve));
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
  };
}

describe('createIntervalSchedule', () => {
  it('ticks at once and then at its interval', async () => {
    const ticks = createTicks();
    const schedule = createIntervalSchedule({ intervalMs: 10, minGapMs: 1, logger });
    schedule.start(ticks.tick);
    (await ticks.next()).end();
    (await ticks.next()).end();
    (await ticks.next()).end();
    await schedule.stop();
  });

  it('ticks sooner when a tick wants it, or when asked', async () => {
    const ticks = createTicks();
    const schedule = createIntervalSchedule({ intervalMs: LONG_MS, minGapMs: 1, logger });
    schedule.start(ticks.tick);
    (await ticks.next()).end({ nextInMs: 5 });
    (await ticks.next()).end();
    await new Promise((resolve) => setImmediate(resolve));
    schedule.requestTick();
    (await ticks.next()).end();
    await schedule.stop();
  });

  it('never ticks twice at once, and answers what was asked for meanwhile with one more tick', async () => {
    const ticks = createTicks();
    const schedule = createIntervalSchedule({ intervalMs: LONG_MS, minGapMs: 1, logger });
    schedule.requestTick();
    schedule.start(ticks.tick);
    const first = await ticks.next();
    schedule.requestTick();
    schedule.requestTick();
    first.end();
    const second = await ticks.next();
    second.end();
    await schedule.stop();
    expect(ticks.mostAtOnce).toBe(1);
  });

  it('goes on after a tick that failed', async () => {
    const ticks = createTicks();
    const schedule = createIntervalSchedule({ intervalMs: 5, minGapMs: 1, logger });
    schedule.start(ticks.tick);
    (await ticks.next()).fail(new Error('the store is away'));
    (await ticks.next()).end();
    await schedule.stop();
  });

  it('stops by aborting the running tick and waiting for it', async () => {
    const ticks = createTicks();
    const schedule = createIntervalSchedule({ intervalMs: 5, minGapMs: 1, logger });
    schedule.start(ticks.tick);
    const tick = await ticks.next();
    let isStopped = false;
    const stopped = schedule.stop().then(() => {
      isStopped = true;
    });
    expect(tick.signal.aborted).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isStopped).toBe(false);
    tick.end({ nextInMs: 0 });
    await stopped;
    schedule.requestTick();
    schedule.start(ticks.tick);
    await schedule.stop();
    expect(ticks.mostAtOnce).toBe(1);
  });
});
