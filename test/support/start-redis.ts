import { randomUUID } from 'node:crypto';
import { parseSettings, redisSettings, type RedisSettings } from '@zai2api/runtime';
import { forcedRedisWay } from './choose-redis-way.ts';
import type { RedisProcess, RedisProcessOptions } from './redis-process.ts';
import { startRedisProcess } from './start-redis-process.ts';

/** What a process of the product needs to find a Redis: environment variables, and the same parsed. */
export interface RedisAccess {
  readonly env: Readonly<Record<string, string>>;
  readonly settings: RedisSettings;
}

/** What a test may do to a Redis of its own. */
type Treatment = Pick<RedisProcess, 'freeze' | 'resume' | 'kill' | 'restart' | 'close'>;

/** A single Redis for a test. `await using` closes it. */
export interface RedisServer extends RedisAccess, Treatment, AsyncDisposable {
  readonly url: string;
}

export interface StartRedisOptions {
  /** The test freezes or kills it, so it must be its own. */
  readonly isOwn?: boolean;
  /** Lines of its configuration; make it the test's own. */
  readonly config?: NonNullable<RedisProcessOptions['config']>;
  /** More variables of the product. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A prefix that no other test uses. */
export const randomPrefix = (): string => `test-${randomUUID().slice(0, 8)}`;

/** The variables with a prefix of their own, and the same parsed. */
export function redisAccess(env: Readonly<Record<string, string>>): RedisAccess {
  const whole = { REDIS_KEY_PREFIX: randomPrefix(), ...env };
  return { env: whole, settings: parseSettings(redisSettings, whole) };
}

/**
 * The Redis at `REDIS_URL`, when a shared one will do; else a container when a Docker engine answers, else a server of this machine.
 * `TEST_REDIS=docker` or `TEST_REDIS=server` forces one of the two. Fails with an install hint when there is nothing.
 */
export async function startRedis({ isOwn = false, config, env = {} }: StartRedisOptions = {}): Promise<RedisServer> {
  const sharedUrl = process.env['REDIS_URL'];
  if (sharedUrl && forcedRedisWay() === undefined && !isOwn && config === undefined) return useShared(sharedUrl, env);
  const server = await startRedisProcess(config ? { config } : {});
  return serverOf(`redis://127.0.0.1:${server.port}`, env, server);
}

function useShared(url: string, env: Readonly<Record<string, string>>): RedisServer {
  const refuse = async (): Promise<never> => {
    throw new Error('A shared Redis is not ours to stop: start it with isOwn.');
  };
  const close = (): Promise<void> => Promise.resolve();
  return serverOf(url, env, { freeze: refuse, resume: refuse, kill: refuse, restart: refuse, close });
}

function serverOf(
  url: string,
  env: Readonly<Record<string, string>>,
  { freeze, resume, kill, restart, close }: Treatment,
): RedisServer {
  const access = redisAccess({ REDIS_URL: url, ...env });
  return { url, ...access, freeze, resume, kill, restart, close, [Symbol.asyncDispose]: close };
}
