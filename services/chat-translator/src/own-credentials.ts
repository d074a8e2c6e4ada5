import { createMemoryCredentialStore, type Credential, type CredentialStore } from '@zai2api/credentials';
import { decodeIdentity } from '@zai2api/dialects';
import { ConfigError, type Secret } from '@zai2api/runtime';

/**
 * The credentials of a translator process that shares no store with a refresher: the operator's own tokens, as they are. Guest tokens
 * are minted by the refresher alone. Throws a ConfigError when there is no token or one that cannot be read.
 */
export async function openOwnCredentials(tokens: Secret | undefined, concurrency: number): Promise<CredentialStore> {
  const own = readOwnCredentials(tokens, concurrency);
  if (own.length === 0) {
    throw new ConfigError([
      'ZAI_UPSTREAM_TOKEN: a translator process of its own needs a user token, or a Redis (REDIS_URL) that it shares with a ' +
        'token-refresher: guest tokens in the memory of standalone are out of its reach. Set one of them, or run standalone (npm start).',
    ]);
  }
  const store = createMemoryCredentialStore({ now: () => Date.now() });
  for (const credential of own) await store.put(credential);
  return store;
}

/** The operator's tokens as credentials. Throws a ConfigError for one that cannot be read. */
export function readOwnCredentials(tokens: Secret | undefined, concurrency: number): Credential[] {
  return (tokens?.reveal() ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((token, index) => credentialOf(token, index, concurrency));
}

function credentialOf(token: string, index: number, concurrency: number): Credential {
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
