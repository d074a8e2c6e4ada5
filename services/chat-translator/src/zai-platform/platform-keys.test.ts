import { describe, expect, it } from '@jest/globals';
import { Secret } from '@zai2api/runtime';
import { TurnError, type TurnErrorDetails } from '@zai2api/turn';
import { createPlatformKeys, readPlatformKeys, type PlatformKeys } from './platform-keys.ts';

const signal = new AbortController().signal;

interface Setup {
  readonly keys: PlatformKeys;
  readonly pass: (ms: number) => void;
  /** Leases a key and gives it back with this failure; the key's name. */
  readonly use: (error?: TurnError) => Promise<string>;
}

function setUp(...tokens: string[]): Setup {
  let nowMs = 1_000;
  const keys = createPlatformKeys(tokens, { concurrency: 2, now: () => nowMs });
  return {
    keys,
    pass: (ms) => (nowMs += ms),
    async use(error) {
      const lease = await keys.lease({ signal, waitMs: 0, leaseMs: 60_000 });
      await lease.release(keys.outcomeOf(error));
      return lease.credential.token;
    },
  };
}

const failure = (reason: string | undefined, details: Partial<TurnErrorDetails> = {}): TurnError =>
  new TurnError(reason === undefined ? 'upstream_failed' : 'upstream_busy', 'Why.', {
    layer: 'upstream',
    ...(reason === undefined ? {} : { reason }),
    ...details,
  });

describe('the keys of a setting', () => {
  it('are trimmed, and each stands once', () => {
    expect(readPlatformKeys(new Secret(' a, b ,,a'))).toEqual(['a', 'b']);
    expect(readPlatformKeys(undefined)).toEqual([]);
  });
});

describe('keys', () => {
  it('take turns', async () => {
    const { use } = setUp('a', 'b');
    expect([await use(), await use(), await use()]).toEqual(['a', 'b', 'a']);
  });

  it.each<[string, number, number]>([
    ['upstream_unauthorized', 0, 600],
    ['upstream_forbidden', 0, 600],
    ['insufficient_quota', 0, 60],
    ['insufficient_quota', 600, 600],
    ['insufficient_quota', 1_000_000, 3_600],
    ['upstream_concurrency', 5, 5],
    ['upstream_rate_limited', 30, 30],
  ])('%s with %d seconds to wait rests for %d', async (reason, retryAfterSeconds, restSeconds) => {
    const { use, pass } = setUp('a');
    await use(failure(reason, { retryAfterSeconds }));
    pass(restSeconds * 1000 - 1);
    await expect(use()).rejects.toMatchObject({ details: { reason } });
    pass(1);
    expect(await use()).toBe('a');
  });

  it.each([[undefined], ['model_busy'], ['empty_answer']])('do not rest after %s', async (reason) => {
    const { use } = setUp('a');
    await use(failure(reason));
    expect(await use()).toBe('a');
  });

  it('that all rest say at once why, and when the first is back', async () => {
    const { keys, use, pass } = setUp('a', 'b');
    await use(failure('insufficient_quota', { retryAfterSeconds: 600, recovery: 'other-credential' }));
    await use(failure('upstream_concurrency', { retryAfterSeconds: 5 }));
    pass(2_000);
    const error: unknown = await keys
      .lease({ signal, waitMs: 1_000, leaseMs: 60_000 })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ details: { reason: 'upstream_concurrency', retryAfterSeconds: 3 } });
    const quota: unknown = await keys
      .lease({ signal, waitMs: 0, leaseMs: 60_000, exclude: new Set(['key-2']) })
      .catch((reason: unknown) => reason);
    expect(quota).toMatchObject({ message: 'Why.', details: { reason: 'insufficient_quota', retryAfterSeconds: 598 } });
    expect(TurnError.is(quota) && quota.details.recovery).toBe(undefined);
  });

  it('that were all tried are not waited for', async () => {
    const { keys } = setUp('a');
    const leasing = keys.lease({ signal, waitMs: 60_000, leaseMs: 60_000, exclude: new Set(['key-1']) });
    await expect(leasing).rejects.toMatchObject({ code: 'no_capacity' });
  });

  it('are left at once by a client that leaves', async () => {
    const reason = new Error('left');
    const { keys } = setUp('a');
    await expect(keys.lease({ signal: AbortSignal.abort(reason), waitMs: 1, leaseMs: 1 })).rejects.toBe(reason);
  });

  it('run no more than their limit at once', async () => {
    const { keys } = setUp('a');
    const request = { signal, waitMs: 0, leaseMs: 60_000 };
    await keys.lease(request);
    await keys.lease(request);
    await expect(keys.lease(request)).rejects.toMatchObject({ code: 'no_capacity' });
    expect((await keys.counts()).user).toMatchObject({ leased: 1, total: 1 });
  });
});
