import { closeRedis, isRedisConfigured, openRedis, type RedisSettings, type Runtime } from '@zai2api/runtime';
import { Gauge } from 'prom-client';
import { createMemoryResponseStore } from './memory-response-store.ts';
import { createRedisResponseStore } from './redis-response-store.ts';
import type { ResponseStore } from './response-store.ts';

/** What the place of kept responses depends on. */
export interface ResponseStoreSettings {
  readonly ZAI_RESPONSES_TTL: number;
  readonly ZAI_RESPONSES_MEMORY_BYTES: number;
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
  if (!isRedisConfigured(settings)) {
    const store = createMemoryResponseStore({ ttlMs, maxBytes: settings.ZAI_RESPONSES_MEMORY_BYTES });
    registerSize(registry, store);
    return store;
  }
  const commands = openRedis(settings, { logger, role: 'commands' });
  const subscriber = openRedis(settings, { logger, role: 'subscriber' });
  const store = createRedisResponseStore({
    commands,
    subscriber,
    prefix: settings.REDIS_KEY_PREFIX,
    logger,
    commandTimeoutMs: settings.REDIS_COMMAND_TIMEOUT * 1000,
    ttlMs,
  });
  return {
    ...store,
    async close() {
      await store.close();
      await Promise.all([closeRedis(commands), closeRedis(subscriber)]);
    },
  };
}

function registerSize(registry: Runtime['registry'], store: ReturnType<typeof createMemoryResponseStore>): void {
  new Gauge({
    name: 'zai_translator_responses_store_entries',
    help: 'Responses that are kept in memory.',
    registers: [registry],
    collect() {
      this.set(store.entries);
    },
  });
  new Gauge({
    name: 'zai_translator_responses_store_bytes',
    help: 'Size of the responses that are kept in memory, in UTF-16 units.',
    registers: [registry],
    collect() {
      this.set(store.bytes);
    },
  });
}
