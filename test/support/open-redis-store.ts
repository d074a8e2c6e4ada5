import {
  createRedisCredentialStore,
  type CredentialStore,
  type RedisCredentialStoreOptions,
} from '@zai2api/credentials';
import { closeRedis, createLogger, openRedis, type RedisClient, type RedisSettings } from '@zai2api/runtime';

/** A store as a process of the product has it, with its own connections. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: CredentialStore;
  readonly commands: RedisClient;
  readonly settings: RedisSettings;
  readonly logText: () => string;
  /** Closes the store and its connections. Idempotent. */
  close(): Promise<void>;
}

/** Opens it and resolves when it hears messages: for a Redis that works. */
export async function openRedisStore(
  settings: RedisSettings,
  options: Pick<RedisCredentialStoreOptions, 'now' | 'startTimer'> = {},
): Promise<OpenedStore> {
  const written: string[] = [];
  const logger = createLogger(
    { name: 'test', level: 'trace', format: 'json' },
    { write: (line: string) => void written.push(line) },
  );
  const commands = openRedis(settings, { logger, role: 'guarded' });
  const subscriber = openRedis(settings, { logger, role: 'subscriber' });
  await subscriber.ping();
  const prefix = settings.REDIS_KEY_PREFIX;
  const store = createRedisCredentialStore({
    commands,
    subscriber,
    prefix,
    logger,
    commandTimeoutMs: settings.REDIS_COMMAND_TIMEOUT * 1000,
    ...options,
  });
  // Behind the store's own subscription on the same connection.
  await subscriber.subscribe(`{${prefix}:credentials}:sync`);
  let closing: Promise<void> | undefined;
  async function closeAll(): Promise<void> {
    await store.close();
    const deadline = AbortSignal.timeout(1_000);
    await Promise.all([closeRedis(commands, deadline), closeRedis(subscriber, deadline)]);
  }
  const close = (): Promise<void> => (closing ??= closeAll());
  return { store, commands, settings, logText: () => written.join(''), close, [Symbol.asyncDispose]: close };
}

/** Steps in which `advanceInSteps` moves: no timer of the store is shorter when it begins. */
const STEP_MS = 500;

/** Moves a manual clock, with time for the answers of Redis in between. */
export async function advanceInSteps(
  clock: { advance(milliseconds: number): Promise<void> },
  store: CredentialStore,
  milliseconds: number,
): Promise<void> {
  for (let leftMs = milliseconds; leftMs > 0; leftMs -= STEP_MS) {
    await clock.advance(Math.min(STEP_MS, leftMs));
    // On the connection of what the step has set off, and behind it.
    await store.counts();
  }
}
