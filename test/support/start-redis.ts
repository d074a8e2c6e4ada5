import { randomUUID } from 'node:crypto';
import { parseSettings, redisSettings, type RedisSettings } from '@zai2api/runtime';
import { startRedisProcess, type RedisProcess, type RedisProcessOptions } from './redis-process.ts';

/** What a process of the product needs to find a Redis: environment variables, and the same parsed. */
export interface RedisAccess {
  readonly env: Readonly<Record<string, string>>;
  readonly settings: RedisSettings;
}

/** A single Redis for a test. `await using` closes it. */
export interface RedisServer extends RedisAccess, AsyncDisposable {
  readonly url: string;
  /** Keeps its connections and answers nothing. */
  freeze(): void;
  resume(): void;
  /** Ends it; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its port, empty. */
  restart(): Promise<void>;
  close(): Promise<void>;
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

/** The Redis at `REDIS_URL`, when a shared one will do, else a server of this machine. Fails with an install hint when there is none. */
export async function startRedis({ isOwn = false, config, env = {} }: StartRedisOptions = {}): Promise<RedisServer> {
  const sharedUrl = process.env['REDIS_URL'];
  if (sharedUrl && !isOwn && config === undefined) return useShared(sharedUrl, env);
  const server = await startRedisProcess(config ? { config } : {});
  return serverOf(`redis://127.0.0.1:${server.port}`, env, server);
}

function useShared(url: string, env: Readonly<Record<string, string>>): RedisServer {
  const refuse = (): never => {
    throw new Error('A shared Redis is not ours to stop: start it with isOwn.');
  };
  const close = (): Promise<void> => Promise.resolve();
  return serverOf(url, env, { freeze: refuse, resume: refuse, kill: refuse, restart: refuse, close });
}

function serverOf(
  url: string,
  env: Readonly<Record<string, string>>,
  { freeze, resume, kill, restart, close }: Pick<RedisProcess, 'freeze' | 'resume' | 'kill' | 'restart' | 'close'>,
): RedisServer {
  const access = redisAccess({ REDIS_URL: url, ...env });
  return { url, ...access, freeze, resume, kill, restart, close, [Symbol.asyncDispose]: close };
}
