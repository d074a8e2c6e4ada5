import { describe, expect, it } from '@jest/globals';
import type { RateLimit, RateLimiter } from './rate-limiter.ts';

/** A clock that a test moves. */
export interface TestClock {
  ms: number;
}

/** What every rate limiter does. `makeLimiter` gives a new one each time, which goes by the clock. */
export function describeRateLimiter(
  name: string,
  makeLimiter: (rate: RateLimit, clock: TestClock) => RateLimiter,
): void {
  describe(`${name} as a rate limiter`, () => {
    const make = (rate: RateLimit) => {
      const clock: TestClock = { ms: 1_760_000_000_000 };
      return { clock, limiter: makeLimiter(rate, clock) };
    };
    const perMinute = (limit: number): RateLimit => ({ limit, periodMs: 60_000 });

    it('refuses the first request beyond the limit, and says when to come back', async () => {
      const { limiter } = make(perMinute(3));
      const decisions = [];
      for (let request = 0; request < 5; request++) decisions.push(await limiter.take('a'));
      const refused = { isAllowed: false, limit: 3, remaining: 0, resetMs: 60_000, retryAfterMs: 20_000 };
      expect(decisions).toEqual([
        { isAllowed: true, limit: 3, remaining: 2, resetMs: 20_000, retryAfterMs: 0 },
        { isAllowed: true, limit: 3, remaining: 1, resetMs: 40_000, retryAfterMs: 0 },
        { isAllowed: true, limit: 3, remaining: 0, resetMs: 60_000, retryAfterMs: 0 },
        refused,
        // Asking in vain does not make it later.
        refused,
      ]);
    });

    it('allows the next request at the told time, and not earlier', async () => {
      const { clock, limiter } = make(perMinute(2));
      for (let request = 0; request < 2; request++) await limiter.take('a');
      const { retryAfterMs } = await limiter.take('a');
      clock.ms += retryAfterMs - 10;
      expect(await limiter.take('a')).toMatchObject({ isAllowed: false, retryAfterMs: 10 });
      clock.ms += 10;
      expect(await limiter.take('a')).toMatchObject({ isAllowed: true, remaining: 0 });
      expect(await limiter.take('a')).toMatchObject({ isAllowed: false });
    });

    it('has all of the limit again after the reset, and no more than that however long it takes', async () => {
      const { clock, limiter } = make(perMinute(2));
      await limiter.take('a');
      clock.ms += 10_000_000;
      expect(await limiter.take('a')).toMatchObject({ remaining: 1 });
      expect(await limiter.take('a')).toMatchObject({ isAllowed: true, remaining: 0 });
      expect(await limiter.take('a')).toMatchObject({ isAllowed: false });
    });

    it('counts each key for itself', async () => {
      const { limiter } = make(perMinute(1));
      expect(await limiter.take('a')).toMatchObject({ isAllowed: true });
      expect(await limiter.take('a')).toMatchObject({ isAllowed: false });
      expect(await limiter.take('b')).toMatchObject({ isAllowed: true });
    });

    it.each([1, 7, 60])('gives exactly the limit of %d to requests at the same time', async (limit) => {
      const { limiter } = make(perMinute(limit));
      const decisions = await Promise.all(Array.from({ length: limit + 20 }, () => limiter.take('a')));
      expect(decisions.filter(({ isAllowed }) => isAllowed)).toHaveLength(limit);
      const remaining = decisions.filter(({ isAllowed }) => isAllowed).map((decision) => decision.remaining);
      expect(remaining).toEqual(Array.from({ length: limit }, (_, index) => limit - 1 - index));
    });

    it('lets through no more than twice the limit in any period, and not less than the limit', async () => {
      const { clock, limiter } = make(perMinute(10));
      const allowedAtMs: number[] = [];
      for (let step = 0; step < 600; step++) {
        if ((await limiter.take('a')).isAllowed) allowedAtMs.push(clock.ms);
        clock.ms += 500;
      }
      for (const from of allowedAtMs) {
        const inPeriod = allowedAtMs.filter((at) => at >= from && at < from + 60_000).length;
        expect(inPeriod).toBeLessThanOrEqual(20);
      }
      expect(allowedAtMs.length).toBeGreaterThanOrEqual(50);
    });
  });
}
