import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@zai2api/runtime';
import { createIntervalSchedule } from './interval-schedule.ts';
import { createManualTicks, describeRefillSchedule } from './refill-schedule.conformance.ts';

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

describeRefillSchedule('createIntervalSchedule', (options) =>
  Promise.resolve({
    schedule: createIntervalSchedule({ ...options, logger }),
    close: () => Promise.resolve(),
  }),
);

describe('createIntervalSchedule', () => {
  it('lets requests that come right after a tick share the next one', async () => {
    const ticks = createManualTicks();
    const schedule = createIntervalSchedule({ intervalMs: 60_000, minGapMs: 100, logger });
    schedule.start(ticks.tick);
    (await ticks.next()).end();
    await new Promise((resolve) => setImmediate(resolve));
    const askedAtMs = performance.now();
    schedule.requestTick();
    schedule.requestTick();
    (await ticks.next()).end();
    expect(performance.now() - askedAtMs).toBeGreaterThan(50);
    await schedule.stop();
    expect(ticks.count).toBe(2);
  });
});
