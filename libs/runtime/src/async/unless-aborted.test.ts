import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { unlessAborted } from './unless-aborted.ts';

describe('unlessAborted', () => {
  it('gives the value, or the error, of the work and leaves nothing at the signal', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve('x'), signal)).toBe('x');
    await expect(unlessAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('rejects with the reason of the signal, and the work goes on', async () => {
    const controller = new AbortController();
    const work = Promise.withResolvers<string>();
    const waiting = unlessAborted(work.promise, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    work.resolve('x');
    expect(await work.promise).toBe('x');
  });

  it('does not wait at all under a signal that has aborted', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(unlessAborted(Promise.resolve('x'), aborted)).rejects.toThrow('enough');
  });
});
