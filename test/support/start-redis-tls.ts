import { translatorUser } from './acl-user.ts';
import type { RedisProcess } from './redis-process.ts';
import { redisAccess, type RedisAccess } from './start-redis.ts';
import { startRedisProcess } from './start-redis-process.ts';
import { createTlsFiles } from './tls-files.ts';

/** A Redis that speaks TLS only, wants a certificate from its clients, and lets a single ACL user in. */
export interface TlsRedis extends RedisAccess, AsyncDisposable {
  readonly server: RedisProcess;
  close(): Promise<void>;
}

/** Starts it with an authority of its own. */
export async function startTlsRedis(env: Readonly<Record<string, string>> = {}): Promise<TlsRedis> {
  const files = await createTlsFiles();
  const config = [...files.redisConfig, 'user default off', translatorUser.configLine()];
  const server = await startRedisProcess({ usesTls: true, config, folders: [files.folder] }).catch(
    async (error: unknown) => {
      await files.close();
      throw error;
    },
  );
  const close = async (): Promise<void> => {
    await Promise.all([server.close(), files.close()]);
  };
  const access = redisAccess({
    ...files.env,
    REDIS_URL: `rediss://127.0.0.1:${server.port}`,
    ...translatorUser.env,
    ...env,
  });
  return { ...access, server, close, [Symbol.asyncDispose]: close };
}
