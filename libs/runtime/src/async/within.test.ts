import { describe, expect, it } from '@jest/globals';
import { within } from './within.ts';

describe('within', () => {
  it('gives the value, or the error, that comes in time', async () => {
    expect(await within(Promise.resolve('x'), 60_000)).toBe('x');
    await expect(within(Promise.reject(new Error('no')), 60_000)).rejects.toThrow('no');
  });

  it('gives up on what comes later, which goes on', async () => {
    const late = Promise.withResolvers<string>();
    expect(await within(late.promise, 0)).toBeUndefined();
    late.resolve('x');
    expect(await late.promise).toBe('x');
  });

  it('leaves an error that comes later to whoever waits for it', async () => {
    const late = Promise.withResolvers<string>();
    expect(await within(late.promise, 0)).toBeUndefined();
    const caught = late.promise.catch((reason: unknown) => reason);
    late.reject(new Error('no'));
    expect(await caught).toEqual(new Error('no'));
  });
});
