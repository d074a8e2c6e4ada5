import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import { createCredentialGuard, type CredentialGuard } from './credential-guard.ts';

const failed = new TurnError('upstream_failed', 'Failed.', { layer: 'upstream' });
const refused = new TurnError('content_refused', 'Refused.', { layer: 'upstream' });
const storeOf = (...users: string[]) => ({ ids: (kind: string) => Promise.resolve(kind === 'user' ? users : []) });

async function fail(guard: CredentialGuard, id: string, times: number, error = failed): Promise<void> {
  for (let count = 0; count < times; count += 1)
    await expect(guard.run(id, () => Promise.reject(error))).rejects.toBe(error);
}

describe('a guard of credentials', () => {
  it('keeps one that fails again and again from being used, while there is another', async () => {
    const guard = createCredentialGuard();
    await fail(guard, 'a', 2);
    expect(await guard.excluded(storeOf('a', 'b'))).toEqual(new Set());
    await fail(guard, 'a', 1);
    expect(await guard.excluded(storeOf('a', 'b'))).toEqual(new Set(['a']));
    expect(await guard.excluded(storeOf('a'))).toEqual(new Set());
    await fail(guard, 'b', 3);
    expect(await guard.excluded(storeOf('a', 'b'))).toEqual(new Set());
  });

  it.each([
    ['before', 3],
    ['while', 2],
  ])('knows nothing of one that failed %s it was forgotten', async (_when, times) => {
    const guard = createCredentialGuard();
    await fail(guard, 'a', times);
    const { promise, reject } = Promise.withResolvers<never>();
    const last = guard.run('a', () => promise);
    for (let index = 0; index < 1_000; index += 1) await guard.run(`other-${index}`, () => Promise.resolve());
    reject(failed);
    await expect(last).rejects.toBe(failed);
    expect(await guard.excluded(storeOf('a', 'b'))).toEqual(new Set());
  });

  it('lets whoever got the credential use it', async () => {
    const guard = createCredentialGuard();
    await fail(guard, 'a', 3);
    expect(await guard.run('a', () => Promise.resolve('answer'))).toBe('answer');
  });

  it('counts no refusal that only a well upstream gives', async () => {
    const guard = createCredentialGuard();
    await fail(guard, 'a', 2);
    await fail(guard, 'a', 1, refused);
    await fail(guard, 'a', 2);
    expect(await guard.excluded(storeOf('a', 'b'))).toEqual(new Set());
  });

  it('asks the store only when it has somebody to exclude, and does without an answer', async () => {
    const guard = createCredentialGuard();
    const silent = { ids: () => Promise.reject(new Error('away')) };
    await guard.excluded(silent);
    await fail(guard, 'a', 3);
    expect(await guard.excluded(silent)).toEqual(new Set());
  });
});
