import { describe, expect, it } from '@jest/globals';
import { createUpstreamClock } from './upstream-clock.ts';

const start = Date.parse('2026-01-02T03:04:05.000Z');
const header = (atMs: number): string => new Date(atMs).toUTCString();

/** What the clock is ahead of the local one after answers that each took `wayMs` and were stamped `stampedAfterMs` into that. */
function skewAfter(...answers: readonly { date: string | undefined; wayMs: number }[]): number {
  let localMs = start;
  const clock = createUpstreamClock(() => localMs);
  for (const { date, wayMs } of answers) {
    const askedAtMs = localMs;
    localMs += wayMs;
    clock.learn(date, askedAtMs);
  }
  return clock.now() - localMs;
}

describe('the upstream’s clock', () => {
  it('is the local one until an answer came', () => {
    expect(skewAfter()).toBe(0);
  });

  it.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
    ['half a minute ahead', 30_000],
    ['half a minute behind', -30_000],
  ])('is learnt to a second when it is %s', (_name, skewMs) => {
    const learnt = skewAfter({ date: header(start + 100 + skewMs), wayMs: 200 });
    expect(Math.abs(learnt - skewMs)).toBeLessThanOrEqual(1_000);
  });

  it.each([
    ['the same second', start],
    ['a second ahead', start + 1_000],
    ['a second behind', start - 1_000],
  ])('is the local one within what a header in whole seconds can tell: %s', (_name, atMs) => {
    expect(skewAfter({ date: header(atMs), wayMs: 100 })).toBe(0);
  });

  it('is not learnt from an answer that took longer than the difference', () => {
    expect(skewAfter({ date: header(start + 60_000), wayMs: 60_000 })).toBe(0);
    expect(skewAfter({ date: header(start), wayMs: 60_000 })).toBe(0);
    const known = { date: header(start + 3_600_000), wayMs: 0 };
    expect(skewAfter(known, { date: header(start + 3_660_000), wayMs: 60_000 })).toBe(skewAfter(known));
  });

  it.each([undefined, '', 'yesterday', 'Fri, 99 Jan 2026 03:04:05 GMT'])(
    'does not change with the header %p',
    (date) => {
      const known = { date: header(start + 3_600_000), wayMs: 0 };
      expect(skewAfter({ date, wayMs: 0 })).toBe(0);
      expect(skewAfter(known, { date, wayMs: 0 })).toBe(skewAfter(known));
    },
  );

  it('follows a clock that was put right', () => {
    expect(skewAfter({ date: header(start + 3_600_000), wayMs: 0 }, { date: header(start), wayMs: 0 })).toBe(0);
  });

  it('gives whole milliseconds', () => {
    const clock = createUpstreamClock(() => start + 0.25);
    clock.learn(header(start + 10_000), start);
    expect(Number.isInteger(clock.now())).toBe(true);
  });
});
