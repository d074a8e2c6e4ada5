import { describe, expect, it } from '@jest/globals';
import { Secret } from '@zai2api/runtime';
import { TurnError, type TurnErrorDetails } from '@zai2api/turn';
import { createPlatformKeys, readPlatformKeys, type PlatformKeys } from './platform-keys.ts';

const signal = new AbortController().signal;

interface Setup {
  readonly keys: PlatformKeys;
  readonly warnings: readonly unknown[];
  readonly pass: (ms: number) => void;
  /** Leases a key for a model and gives it back with this failure; the key's name. */
  readonly use: (error?: TurnError, model?: string) => Promise<string>;
}

function setUp(...tokens: string[]): Setup {
  let nowMs = 1_000;
  const warnings: unknown[] = [];
  const logger = { warn: (...words: unknown[]) => void warnings.push(words) };
  const keys = createPlatformKeys(tokens, { concurrency: 2, now: () => nowMs, logger });
  return {
    keys,
    warnings,
    pass: (ms) => (nowMs += ms),
    async use(error, model = 'glm-5') {
      const lease = await keys.lease({ signal, waitMs: 0, leaseMs: 60_000, model });
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
    ['fair_use_restriction', 86_400, 86_400],
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

  it.each([
    ['good', undefined],
    ['short of a shorter limit', failure('upstream_concurrency', { retryAfterSeconds: 5 })],
  ])('say why they rest also when another turn on them ends %s', async (_how, end) => {
    const { keys, pass, use } = setUp('a');
    const request = { signal, waitMs: 20_000, leaseMs: 600_000 };
    const [spent, other] = [await keys.lease(request), await keys.lease(request)];
    await spent.release(keys.outcomeOf(failure('insufficient_quota', { retryAfterSeconds: 600 })));
    pass(1_000);
    await other.release(keys.outcomeOf(end));
    await expect(keys.lease(request)).rejects.toMatchObject({
      details: { reason: 'insufficient_quota', retryAfterSeconds: 599 },
    });
    pass(599_000);
    expect(await use()).toBe('a');
  });

  it('that broke the fair-use policy are told in the log, not by their name', async () => {
    const { use, warnings } = setUp('a-secret');
    await use(failure('fair_use_restriction', { retryAfterSeconds: 86_400 }));
    expect(warnings).toEqual([[expect.objectContaining({ key: 'key-1', restSeconds: 86_400 }), expect.any(String)]]);
    expect(JSON.stringify(warnings)).not.toContain('a-secret');
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

describe('a limit of one model', () => {
  const limit = failure('upstream_concurrency', { retryAfterSeconds: 5, reach: 'model' });
  const request = { signal, waitMs: 20_000, leaseMs: 60_000 };

  it('keeps the key from this model alone, until it is over', async () => {
    const { use, pass } = setUp('a');
    await use(limit, 'glm-5');
    expect(await use(undefined, 'glm-4.7')).toBe('a');
    await expect(use(undefined, 'glm-5')).rejects.toMatchObject({
      details: { reason: 'upstream_concurrency', retryAfterSeconds: 5 },
    });
    pass(5_000);
    expect(await use(undefined, 'glm-5')).toBe('a');
  });

  it('leaves the model to the other keys', async () => {
    const { use } = setUp('a', 'b');
    expect(await use(limit)).toBe('a');
    expect([await use(), await use()]).toEqual(['b', 'b']);
  });

  it('is waited for as long as the turn wants, which may be shorter than for a key', async () => {
    const { keys, use } = setUp('a');
    await use(limit);
    const leasing = keys.lease({ ...request, model: 'glm-5', modelWaitMs: 0 });
    await expect(leasing).rejects.toMatchObject({ details: { reach: 'model', retryAfterSeconds: 5 } });
  });

  it('is waited for until it is over', async () => {
    const keys = createPlatformKeys(['a'], {
      concurrency: 1,
      now: () => Date.now(),
      logger: { warn: () => undefined },
    });
    const first = await keys.lease({ ...request, model: 'glm-5' });
    const outcome = keys.outcomeOf(limit);
    expect(outcome.result).toBe('busy');
    const startedAtMs = Date.now();
    await first.release(outcome.result === 'busy' ? { ...outcome, coolDownMs: 40 } : outcome);
    const second = await keys.lease({ ...request, model: 'glm-5' });
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(40);
    await second.release({ result: 'good' });
    await keys.close();
  });

  it('that is met while a turn stands in line for the key is heeded by it, too', async () => {
    const { keys } = setUp('a');
    const running = [
      await keys.lease({ ...request, model: 'glm-5' }),
      await keys.lease({ ...request, model: 'glm-5' }),
    ];
    const waiting = keys.lease({ ...request, model: 'glm-5', modelWaitMs: 0 });
    await running[0]?.release(keys.outcomeOf(limit));
    await expect(waiting).rejects.toMatchObject({ details: { reach: 'model' } });
    // The slot is free again for another model.
    const lease = await keys.lease({ ...request, waitMs: 0, model: 'glm-4.7' });
    expect(lease.credential.token).toBe('a');
  });

  it('without a model stops nothing', async () => {
    const { keys, use } = setUp('a');
    const lease = await keys.lease(request);
    await lease.release(keys.outcomeOf(limit));
    expect(await use()).toBe('a');
  });
});
