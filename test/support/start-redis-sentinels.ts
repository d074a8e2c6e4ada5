import type { RedisProcess } from './redis-process.ts';
import { redisAccess, type RedisAccess } from './start-redis.ts';
import { startRedisProcess } from './start-redis-process.ts';
import { createTlsFiles } from './tls-files.ts';
import { waitFor } from './wait-for.ts';

/** A primary and its replica, watched by three Sentinels. Redis and Sentinels have a password each. */
export interface RedisSentinels extends RedisAccess, AsyncDisposable {
  readonly primary: RedisProcess;
  readonly replica: RedisProcess;
  close(): Promise<void>;
}

const SENTINELS = 3;
const READY_DEADLINE_MS = 20_000;
const redisPassword = 'redis-test-password';
const sentinelPassword = 'sentinel-test-password';
const group = 'the-primary';

export interface RedisSentinelsOptions {
  readonly usesTls?: boolean;
  /** More variables of the product. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts them all; resolves when the Sentinels know each other and the replica, so that a failover can happen. */
export async function startRedisSentinels({
  usesTls = false,
  env = {},
}: RedisSentinelsOptions = {}): Promise<RedisSentinels> {
  const files = usesTls ? await createTlsFiles() : undefined;
  const started: RedisProcess[] = [];
  const start = async (isSentinel: boolean, config: readonly string[]): Promise<RedisProcess> => {
    const server = await startRedisProcess({
      usesTls,
      isSentinel,
      hasPeers: true,
      folders: files ? [files.folder] : [],
      config: [...config, ...(files?.redisConfig ?? [])],
    });
    started.push(server);
    return server;
  };
  const close = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.close()));
    await files?.close();
  };
  try {
    const config = [`requirepass ${redisPassword}`, `masterauth ${redisPassword}`, 'repl-diskless-sync-delay 0'];
    const primary = await start(false, config);
    const replica = await start(false, [...config, `replicaof 127.0.0.1 ${primary.port}`]);
    const sentinelConfig = [
      `requirepass ${sentinelPassword}`,
      `sentinel monitor ${group} 127.0.0.1 ${primary.port} 2`,
      `sentinel auth-pass ${group} ${redisPassword}`,
      `sentinel down-after-milliseconds ${group} 1000`,
      `sentinel failover-timeout ${group} 4000`,
    ];
    const sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => start(true, sentinelConfig)));
    const login = [...(files?.cliArguments ?? []), '-a', sentinelPassword, '--no-auth-warning'];
    for (const sentinel of sentinels) {
      const knowsAll = async (): Promise<boolean> => {
        const facts = await sentinel.cli(...login, '-p', String(sentinel.port), 'sentinel', 'master', group);
        return /num-slaves\r?\n1\r?\n/.test(facts) && /num-other-sentinels\r?\n2\r?\n/.test(facts);
      };
      await waitFor(knowsAll, { withinMs: READY_DEADLINE_MS, what: 'a Sentinel that knows the others' });
    }
    const access = redisAccess({
      REDIS_SENTINELS: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
      REDIS_SENTINEL_NAME: group,
      REDIS_SENTINEL_PASSWORD: sentinelPassword,
      REDIS_PASSWORD: redisPassword,
      ...files?.env,
      ...env,
    });
    return { ...access, primary, replica, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
