import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { translatorUser } from './acl-user.ts';
import { findFreePort, startRedisProcess, type RedisProcess } from './redis-process.ts';
import { redisAccess, type RedisAccess } from './start-redis.ts';
import { createTlsFiles } from './tls-files.ts';
import { waitFor } from './wait-for.ts';

/** A Redis Cluster of three primaries. */
export interface RedisCluster extends RedisAccess, AsyncDisposable {
  readonly nodes: readonly RedisProcess[];
  close(): Promise<void>;
}

const run = promisify(execFile);
const NODES = 3;
const READY_DEADLINE_MS = 20_000;

export interface RedisClusterOptions {
  readonly usesTls?: boolean;
  /** The product is an ACL user. */
  readonly usesAcl?: boolean;
  /** More variables of the product. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the nodes and joins them; resolves when every one of them says that the Cluster works. */
export async function startRedisCluster({
  usesTls = false,
  usesAcl = false,
  env = {},
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const user = usesAcl ? [translatorUser.configLine({ inCluster: true })] : [];
  const files = usesTls ? await createTlsFiles() : undefined;
  const nodes: RedisProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()));
    await files?.close();
  };
  try {
    for (let node = 0; node < NODES; node++) {
      const busPort = await findFreePort();
      const cluster = ['cluster-enabled yes', 'cluster-node-timeout 2000', `cluster-port ${busPort}`];
      nodes.push(await startRedisProcess({ usesTls, config: [...cluster, ...user, ...(files?.redisConfig ?? [])] }));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const cli = (...args: string[]): Promise<{ stdout: string }> =>
      run('redis-cli', [...(files?.cliArguments ?? []), ...args], { timeout: READY_DEADLINE_MS });
    await cli('--cluster', 'create', ...addresses, '--cluster-yes');
    for (const { port } of nodes) {
      const isReady = async (): Promise<boolean> =>
        (await cli('-p', String(port), 'cluster', 'info')).stdout.includes('cluster_state:ok');
      await waitFor(isReady, { withinMs: READY_DEADLINE_MS, what: 'a node that knows the Cluster' });
    }
    const known = addresses.slice(0, 2).join(',');
    const access = redisAccess({
      REDIS_CLUSTER_NODES: known,
      ...files?.env,
      ...(usesAcl && translatorUser.env),
      ...env,
    });
    return { ...access, nodes, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
