import { translatorUser } from './acl-user.ts';
import type { RedisProcess } from './redis-process.ts';
import { redisAccess, type RedisAccess } from './start-redis.ts';
import { findFreePort, startRedisProcess } from './start-redis-process.ts';
import { createTlsFiles } from './tls-files.ts';
import { waitFor } from './wait-for.ts';

/** A Redis Cluster of three primaries, and maybe a replica of each. */
export interface RedisCluster extends RedisAccess, AsyncDisposable {
  readonly nodes: readonly RedisProcess[];
  /** The node that answers for a key right now. */
  ownerOf(key: string): Promise<RedisProcess>;
  close(): Promise<void>;
}

const PRIMARIES = 3;
const READY_DEADLINE_MS = 20_000;

export interface RedisClusterOptions {
  readonly usesTls?: boolean;
  /** The product is an ACL user. */
  readonly usesAcl?: boolean;
  /** Each primary has a replica, so that a failover can happen. */
  readonly hasReplicas?: boolean;
  /** More variables of the product. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the nodes and joins them; resolves when every one of them says that the Cluster works. */
export async function startRedisCluster({
  usesTls = false,
  usesAcl = false,
  hasReplicas = false,
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
    for (let node = 0; node < PRIMARIES * (hasReplicas ? 2 : 1); node++) {
      const busPort = await findFreePort();
      const cluster = ['cluster-enabled yes', 'cluster-node-timeout 2000', `cluster-port ${busPort}`];
      const config = [...cluster, 'repl-diskless-sync-delay 0', ...user, ...(files?.redisConfig ?? [])];
      nodes.push(await startRedisProcess({ usesTls, config, hasPeers: true, folders: files ? [files.folder] : [] }));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const cli = (node: RedisProcess, ...args: string[]): Promise<string> =>
      node.cli(...(files?.cliArguments ?? []), '-p', String(node.port), ...args);
    const replicas = hasReplicas ? ['--cluster-replicas', '1'] : [];
    await cli(nodes[0]!, '--cluster', 'create', ...addresses, ...replicas, '--cluster-yes');
    for (const node of nodes) {
      const isReady = async (): Promise<boolean> => {
        const knowsCluster = (await cli(node, 'cluster', 'info')).includes('cluster_state:ok');
        // A replica that has not copied anything yet may not take over.
        return knowsCluster && !(await cli(node, 'info', 'replication')).includes('master_link_status:down');
      };
      await waitFor(isReady, { withinMs: READY_DEADLINE_MS, what: 'a node that knows the Cluster' });
    }
    const ownerOf = async (key: string): Promise<RedisProcess> => {
      for (const node of nodes) {
        const answer = await cli(node, 'exists', key).catch(() => '');
        if (answer.trim() === '1') return node;
      }
      throw new Error(`no node has ${key}`);
    };
    const known = addresses.slice(0, 2).join(',');
    const access = redisAccess({
      REDIS_CLUSTER_NODES: known,
      ...files?.env,
      ...(usesAcl && translatorUser.env),
      ...env,
    });
    return { ...access, nodes, ownerOf, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
