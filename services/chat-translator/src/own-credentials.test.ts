import { afterEach, describe, expect, it } from '@jest/globals';
import type { CredentialStore } from '@zai2api/credentials';
import { ConfigError, Secret } from '@zai2api/runtime';
import { openOwnCredentials } from './own-credentials.ts';

const jwt = (claims: unknown): string =>
  ['{}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');
const request = { signal: new AbortController().signal, waitMs: 0, leaseMs: 1_000 };

const stores: CredentialStore[] = [];
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

async function open(tokens: string | undefined, concurrency = 1): Promise<CredentialStore> {
  const store = await openOwnCredentials(tokens === undefined ? undefined : new Secret(tokens), concurrency);
  stores.push(store);
  return store;
}

describe('openOwnCredentials', () => {
  it('puts in every token, once per turn that may run on it', async () => {
    const store = await open(` ${jwt({ id: 'u-1' })} ,, ${jwt({ user_id: 'u-2' })},`, 2);
    const leases = await Promise.all(Array.from({ length: 4 }, () => store.lease(request)));
    expect(leases.map(({ credential }) => credential.userId).sort()).toEqual(['u-1', 'u-1', 'u-2', 'u-2']);
    expect(leases[0]?.credential).toMatchObject({ id: 'user-1', kind: 'user', concurrency: 2, expiresAtMs: Infinity });
    await expect(store.lease(request)).rejects.toMatchObject({ code: 'no_capacity' });
  });

  it.each([undefined, '', ' , ,'])('needs a token: %p', async (tokens) => {
    await expect(open(tokens)).rejects.toMatchObject({
      faults: [expect.stringContaining('ZAI_UPSTREAM_TOKEN') as unknown],
    });
  });

  it('says which token cannot be read, without showing it', async () => {
    const opening = open(`${jwt({ id: 'u-1' })},very-secret`);
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.toMatchObject({
      faults: ['ZAI_UPSTREAM_TOKEN: token 2 is not a token of the web backend'],
    });
    await expect(opening).rejects.not.toThrow('very-secret');
  });
});
