import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import { decodeIdentity } from '@zai2api/dialects';
import { ConfigError, type Secret } from '@zai2api/runtime';

/**
 * The credentials of a translator process that shares no store with a refresher: the operator's own tokens, as they are. Guest tokens
 * are minted by the refresher alone. Throws a ConfigError when there is no token or one that cannot be read.
 */
export async function openOwnCredentials(tokens: Secret | undefined, concurrency: number): Promise<CredentialStore> {
  const store = createMemoryCredentialStore({ now: () => Date.now() });
  const parts = (tokens?.reveal() ?? '').split(',').map((part) => part.trim());
  for (const [index, token] of parts.filter((part) => part !== '').entries()) {
    await store.put(credentialOf(token, index, concurrency));
  }
  if ((await store.counts()).user.total > 0) return store;
  throw new ConfigError([
    'ZAI_UPSTREAM_TOKEN: a translator process of its own needs a user token: guest tokens are kept in the memory of standalone, ' +
      'which other processes cannot share. Set it, or run standalone (npm start).',
  ]);
}

function credentialOf(token: string, index: number, concurrency: number): Parameters<CredentialStore['put']>[0] {
  try {
    const { userId, name } = decodeIdentity({ token });
    const [createdAtMs, expiresAtMs] = [Date.now(), Number.POSITIVE_INFINITY];
    return {
      id: `user-${index + 1}`,
      kind: 'user',
      token,
      userId,
      userName: name,
      createdAtMs,
      expiresAtMs,
      concurrency,
    };
  } catch (cause) {
    const fault = new ConfigError([`ZAI_UPSTREAM_TOKEN: token ${index + 1} is not a token of the web backend`]);
    fault.cause = cause;
    throw fault;
  }
}
