import { describe, expect, it } from '@jest/globals';
import { createFallbackRateLimiter } from './fallback-rate-limiter.ts';
import { createMemoryRateLimiter } from './memory-rate-limiter.ts';
import type { RateDecision, RateLimiter } from './rate-limiter.ts';

const decision: RateDecision = { isAllowed: true, limit: 9, remaining: 8, resetMs: 1, retryAfterMs: 0 };

function make(shared: RateLimiter['take']) {
  const clock = { ms: 0 };
  const faults: unknown[] = [];
  let asked = 0;
  const limiter = createFallbackRateLimiter({
    shared: {
      take(key) {
        asked++;
        return shared(key);
      },
    },
    local: createMemoryRateLimiter({ limit: 2, periodMs: 60_000 }, () => clock.ms),
    now: () => clock.ms,
    onFault: (reason) => faults.push(reason),
  });
  return { clock, faults, limiter, asked: () => asked };
}

describe('the fallback rate limiter', () => {
  it('limits by itself while the shared one fails, and leaves that one alone for a while', async () => {
    const { clock, faults, limiter, asked } = make(() => Promise.reject(new Error('away')));
    expect(await limiter.take('a')).toMatchObject({ isAllowed: true, limit: 2, remaining: 1 });
    expect(await limiter.take('a')).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await limiter.take('a')).toMatchObject({ isAllowed: false });
    expect([asked(), faults]).toEqual([1, [new Error('away')]]);
    clock.ms += 2_000;
    await limiter.take('a');
    expect([asked(), faults.length]).toEqual([2, 2]);
  });

  it('does not wait for one that hangs', async () => {
    const { faults, limiter } = make(() => new Promise<never>(() => undefined));
    const decisions = await Promise.all([limiter.take('a'), limiter.take('a'), limiter.take('a')]);
    expect(decisions.map(({ isAllowed }) => isAllowed)).toEqual([true, true, false]);
    expect(faults).toEqual([expect.objectContaining({ name: 'TimeoutError' })]);
  });

  it('asks the shared one as soon as it is back', async () => {
    let isAway = true;
    const { clock, limiter } = make(() => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(decision)));
    await limiter.take('a');
    isAway = false;
    expect(await limiter.take('a')).toMatchObject({ limit: 2 });
    clock.ms += 2_000;
    expect(await limiter.take('a')).toEqual(decision);
  });
});
