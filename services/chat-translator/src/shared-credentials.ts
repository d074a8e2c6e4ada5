import {
  createFallbackStore,
  createMemoryCredentialStore,
  createRedisCredentialStore,
  type Credential,
  type CredentialStore,
} from '@zai2api/credentials';
import {
  closeRedis,
  openRedis,
  watchRedis,
  type Logger,
  type RedisSettings,
  type Runtime,
  type Secret,
} from '@zai2api/runtime';
import { readOwnCredentials } from './own-credentials.ts';

/** While processes cannot see what the others run on a token, each of them runs one turn at a time on it. */
const FALLBACK_CONCURRENCY = 1;

/**
 * The credentials that processes share through Redis, where a token-refresher keeps them; `close` ends the connections, too. While Redis is
 * away, the operator's own tokens that this process knows serve alone. Redis need not be there yet. Throws a ConfigError when the settings
 * contradict each other.
 */
export function openSharedCredentials(
  settings: RedisSettings & { readonly ZAI_UPSTREAM_TOKEN: Secret | undefined },
  runtime: Runtime,
): CredentialStore {
  const { logger } = runtime;
  const commands = openRedis(settings, { logger, role: 'guarded' });
  const subscriber = openRedis(settings, { logger, role: 'subscriber' });
  watchRedis(settings, runtime);
  const shared = createRedisCredentialStore({
    commands,
    subscriber,
    prefix: settings.REDIS_KEY_PREFIX,
    logger,
    commandTimeoutMs: settings.REDIS_COMMAND_TIMEOUT * 1000,
  });
  const store = withFallback(shared, readFallbackCredentials(settings.ZAI_UPSTREAM_TOKEN, logger));
  return {
    ...store,
    async close() {
      await store.close();
      await Promise.all([closeRedis(commands), closeRedis(subscriber)]);
    },
  };
}

/** A token that the refresher may understand, though we do not, is no reason not to start. */
function readFallbackCredentials(tokens: Secret | undefined, logger: Logger): Credential[] {
  try {
    return readOwnCredentials(tokens, FALLBACK_CONCURRENCY);
  } catch (error) {
    logger.warn({ err: error }, 'no user token can serve while redis is away');
    return [];
  }
}

function withFallback(shared: CredentialStore, own: readonly Credential[]): CredentialStore {
  if (own.length === 0) return shared;
  const local = createMemoryCredentialStore({ now: () => Date.now() });
  for (const credential of own) void local.put(credential);
  return createFallbackStore(shared, local);
}
