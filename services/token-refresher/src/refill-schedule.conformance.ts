import { afterEach, describe, expect, it } from '@jest/globals';
import type { RefillSchedule, TickResult } from './refill-schedule.ts';

/** One running tick, ended by the test. */
export interface RunningTick {
  readonly signal: AbortSignal;
  end(result?: TickResult): void;
  fail(error: Error): void;
}

/** Ticks that the test waits for and ends itself. Several schedules may share them. */
export interface ManualTicks {
  readonly tick: (signal: AbortSignal) => Promise<TickResult>;
  /** The oldest tick that began and was not taken yet; rejects when none begins in time. */
  next(): Promise<RunningTick>;
  /** How many have begun. */
  readonly count: number;
  readonly mostAtOnce: number;
}

/** The longest that a test waits for an event. */
const EVENT_DEADLINE_MS = 5_000;
/** An interval that no test lives to see. */
const LONG_MS = 60_000;
/** What a queue needs to do what it still may do. */
const SETTLE_MS = 250;

/** Creates ticks that run until the test ends them. */
export function createManualTicks(): ManualTicks {
  const begun: RunningTick[] = [];
  const wanted: ((tick: RunningTick) => void)[] = [];
  let count = 0;
  let running = 0;
  let mostAtOnce = 0;
  return {
    tick(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<TickResult>();
      count++;
      mostAtOnce = Math.max(mostAtOnce, ++running);
      const entry: RunningTick = { signal, end: (result = {}) => resolve(result), fail: reject };
      const waiting = wanted.shift();
      if (waiting) waiting(entry);
      else begun.push(entry);
      return promise.finally(() => running--);
    },
    next() {
      const first = begun.shift();
      if (first) return Promise.resolve(first);
      const { promise, resolve, reject } = Promise.withResolvers<RunningTick>();
      const timer = setTimeout(() => reject(new Error('No tick began in time.')), EVENT_DEADLINE_MS);
      wanted.push((tick) => {
        clearTimeout(timer);
        resolve(tick);
      });
      return promise;
    },
    get count() {
      return count;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
  };
}

/** What every schedule does. `makeSchedule` gives a new one each time; `close` is called after its `stop`. */
export function describeRefillSchedule(
  name: string,
  makeSchedule: (options: {
    intervalMs: number;
    minGapMs: number;
  }) => Promise<{ schedule: RefillSchedule; close: () => Promise<void> }>,
): void {
  describe(`${name} as a refill schedule`, () => {
    const closers: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    async function make(intervalMs: number): Promise<RefillSchedule> {
      const { schedule, close } = await makeSchedule({ intervalMs, minGapMs: 1 });
      closers.push(async () => {
        await schedule.stop();
        await close();
      });
      return schedule;
    }

    /** Time in which nothing is expected to happen: there is no event to wait for. */
    const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

    it('ticks at once and then at its interval', async () => {
      const ticks = createManualTicks();
      const schedule = await make(200);
      schedule.start(ticks.tick);
      (await ticks.next()).end();
      const startedAtMs = performance.now();
      for (let count = 0; count < 3; count++) (await ticks.next()).end();
      // Ticks may come late, so that the next one is less than an interval away.
      expect(performance.now() - startedAtMs).toBeGreaterThan(200);
    });

    it('ticks once when nothing more is wanted', async () => {
      const ticks = createManualTicks();
      const schedule = await make(LONG_MS);
      schedule.start(ticks.tick);
      schedule.start(ticks.tick);
      (await ticks.next()).end({ nextInMs: 2 * LONG_MS });
      await settle();
      expect(ticks.count).toBe(1);
    });

    it('ticks sooner when a tick wants it', async () => {
      const ticks = createManualTicks();
      const schedule = await make(LONG_MS);
      schedule.start(ticks.tick);
      for (let count = 0; count < 4; count++) (await ticks.next()).end({ nextInMs: 5 });
    });

    it('ticks when asked', async () => {
      const ticks = createManualTicks();
      const schedule = await make(LONG_MS);
      schedule.start(ticks.tick);
      (await ticks.next()).end();
      await settle();
      schedule.requestTick();
      (await ticks.next()).end();
      await settle();
      schedule.requestTick();
      (await ticks.next()).end();
    });

    it('ticks when asked also while a planned tick is far away, and keeps the plan', async () => {
      const ticks = createManualTicks();
      const schedule = await make(LONG_MS);
      schedule.start(ticks.tick);
      (await ticks.next()).end({ nextInMs: 400 });
      schedule.requestTick();
      (await ticks.next()).end({ nextInMs: 400 });
      const endedAtMs = performance.now();
      (await ticks.next()).end();
      expect(performance.now() - endedAtMs).toBeGreaterThan(300);
    });

    it('answers a storm of requests during a tick with one more tick, never two at once', async () => {
      const ticks = createManualTicks();
      const schedule = await make(LONG_MS);
      schedule.requestTick();
      schedule.start(ticks.tick);
      const first = await ticks.next();
      for (let count = 0; count < 100; count++) schedule.requestTick();
      await settle();
      for (let count = 0; count < 100; count++) schedule.requestTick();
      await settle();
      expect(ticks.count).toBe(1);
      first.end();
      (await ticks.next()).end();
      await settle();
      expect(ticks.count).toBe(2);
      expect(ticks.mostAtOnce).toBe(1);
    });

    it('goes on after a tick that failed', async () => {
      const ticks = createManualTicks();
      const schedule = await make(20);
      schedule.start(ticks.tick);
      (await ticks.next()).fail(new Error('the store is away'));
      (await ticks.next()).end();
    });

    it('stops by aborting the running tick and waiting for it', async () => {
      const ticks = createManualTicks();
      const schedule = await make(20);
      schedule.start(ticks.tick);
      const tick = await ticks.next();
      let isStopped = false;
      const stopped = schedule.stop().then(() => {
        isStopped = true;
      });
      expect(tick.signal.aborted).toBe(true);
      await settle();
      expect(isStopped).toBe(false);
      tick.end({ nextInMs: 0 });
      await stopped;
      schedule.requestTick();
      schedule.start(ticks.tick);
      await schedule.stop();
      await settle();
      expect(ticks.count).toBe(1);
    });

    it('stops before its start, and for good', async () => {
      const ticks = createManualTicks();
      const schedule = await make(20);
      await schedule.stop();
      schedule.start(ticks.tick);
      schedule.requestTick();
      await settle();
      expect(ticks.count).toBe(0);
    });
  });
}
