import { closeRedis, isRedisConfigured, openRedis, type RedisSettings, type Runtime } from '@zai2api/runtime';
import { observeResponseStore } from '../metrics.ts';
import { createMemoryResponseStore } from './memory-response-store.ts';
import { createRedisResponseStore } from './redis-response-store.ts';
import type { ResponseStore } from './response-store.ts';

/** What the place of kept responses depends on. */
export interface ResponseStoreSettings {
  readonly ZAI_RESPONSES_TTL: number;
  readonly ZAI_RESPONSES_MAX_BYTES: number;
  readonly ZAI_RESPONSES_MEMORY_BYTES: number;
  readonly ZAI_RESPONSES_REDIS_BYTES: number;
}

/**
 * The store of a process: the Redis that it shares with others where one is configured, else its own memory. In Redis it has connections of
 * its own: megabytes of a conversation must not hold up the lease of a credential. `close` ends them, too.
 */
export function openResponseStore(
  settings: RedisSettings & ResponseStoreSettings,
  { logger, registry }: Pick<Runtime, 'logger' | 'registry'>,
): ResponseStore {
  const ttlMs = settings.ZAI_RESPONSES_TTL * 1000;
  const maxResponseSize = settings.ZAI_RESPONSES_MAX_BYTES;
  if (!isRedisConfigured(settings)) {
    const store = createMemoryResponseStore({ ttlMs, maxBytes: settings.ZAI_RESPONSES_MEMORY_BYTES, maxResponseSize });
    observeResponseStore(registry, store);
    return store;
  }
  const commands = openRedis(settings, { logger, role: 'guarded' });
  const subscriber = openRedis(settings, { logger, role: 'subscriber' });
  const store = createRedisResponseStore({
    commands,
    subscriber,
    prefix: settings.REDIS_KEY_PREFIX,
    logger,
    commandTimeoutMs: settings.REDIS_COMMAND_TIMEOUT * 1000,
    ttlMs,
    maxResponseSize,
    maxBytes: settings.ZAI_RESPONSES_REDIS_BYTES,
  });
  return {
    ...store,
    async close() {
      await store.close();
      await Promise.all([closeRedis(commands), closeRedis(subscriber)]);
    },
  };
}
