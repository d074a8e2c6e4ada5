import { describe, expect, it } from '@jest/globals';
import { createVmTimeout } from './run-with-timeout.ts';

describe('a timeout for synchronous work', () => {
  const runWithTimeout = createVmTimeout();
  const limited = <T>(work: () => T): T => runWithTimeout(work, 100);

  it('gives what the work gives, and throws what it throws', () => {
    const value = { a: 1 };
    expect(limited(() => value)).toBe(value);
    const fault = new RangeError('no');
    expect(() =>
      limited(() => {
        throw fault;
      }),
    ).toThrow(fault);
  });

  it('holds for work within work', () => {
    expect(limited(() => limited(() => 1) + 1)).toBe(2);
  });

  it.each<[string, () => unknown]>([
    [
      'a loop',
      () => {
        for (;;);
      },
    ],
    ['an expression that goes back and forth', () => /^(a+)+$/.test('a'.repeat(60) + '!')],
  ])('ends %s, and works on', (_what, endless) => {
    const startedAtMs = performance.now();
    expect(() => limited(endless)).toThrow(expect.objectContaining({ code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' }));
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(limited(() => 'on')).toBe('on');
  });
});
