import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFreePort, startRedisProcess, type RedisProcess } from './redis-process.ts';
import { redisAccess, type RedisAccess } from './start-redis.ts';
import { waitFor } from './wait-for.ts';

/** A Redis Cluster of three primaries. */
export interface RedisCluster extends RedisAccess, AsyncDisposable {
  readonly nodes: readonly RedisProcess[];
  close(): Promise<void>;
}

const run = promisify(execFile);
const NODES = 3;
const READY_DEADLINE_MS = 20_000;

/** Starts the nodes and joins them; resolves when every one of them says that the Cluster works. */
export async function startRedisCluster(env: Readonly<Record<string, string>> = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: NODES }, () =>
      startRedisProcess({
        config: async () => [
          'cluster-enabled yes',
          'cluster-node-timeout 2000',
          `cluster-port ${await findFreePort()}`,
        ],
      }),
    ),
  );
  const close = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.close())));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  try {
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: READY_DEADLINE_MS });
    for (const { port } of nodes) {
      const isReady = async (): Promise<boolean> =>
        (await run('redis-cli', ['-p', String(port), 'cluster', 'info'])).stdout.includes('cluster_state:ok');
      await waitFor(isReady, { withinMs: READY_DEADLINE_MS, what: 'a node that knows the Cluster' });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const access = redisAccess({ REDIS_CLUSTER_NODES: addresses.slice(0, 2).join(','), ...env });
  return { ...access, nodes, close, [Symbol.asyncDispose]: close };
}
