import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseSettings, redisSettings } from '@zai2api/runtime';
import { parse } from 'yaml';
import { composePath } from './support/docker-engine.ts';
import { blocksOf } from './support/documented-blocks.ts';
import { runCommand } from './support/run-command.ts';
import { cloneRepository, type WorkCopy } from './support/work-copy.ts';

/** What Compose makes of docker-compose.yml; nothing is started. */
interface Composed {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment: Readonly<Record<string, string | null>>;
        /** `source:target:mode` by Compose 1.29, an object by v2. */
        readonly volumes: readonly (string | { readonly source: string; readonly target: string })[];
      }
    >
  >;
}

const own = ['gateway', 'chat-translator', 'token-refresher'];
let clone: WorkCopy;
let compose: Awaited<ReturnType<typeof composePath>>;

beforeAll(async () => {
  clone = await cloneRepository();
  compose = await composePath();
});

afterAll(async () => {
  await compose.close();
  await clone[Symbol.asyncDispose]();
});

const sh = (text: string, env: Readonly<Record<string, string>> = {}): Promise<string> =>
  runCommand(
    'env',
    ['-i', `PATH=${compose.path}`, ...Object.entries(env).map((pair) => pair.join('=')), 'sh', '-ec', text],
    {
      cwd: clone.folder,
    },
  );

async function configOf(env: Readonly<Record<string, string>>, options = ''): Promise<Composed> {
  return parse(await sh(`docker compose ${options} config`, env)) as Composed;
}

/** Where each service looks for Redis; it wants one of the three. */
const redisOf = ({ services }: Composed): object[] =>
  own.map((name) => {
    const entries = Object.entries(services[name]!.environment);
    const set = entries.flatMap(([variable, value]) => (value === null ? [] : [[variable, value]]));
    const { REDIS_URL, REDIS_SENTINELS, REDIS_CLUSTER_NODES, REDIS_TLS, REDIS_TLS_CA_FILE } = parseSettings(
      redisSettings,
      Object.fromEntries(set) as Record<string, string>,
    );
    return {
      ...(REDIS_URL && { url: REDIS_URL.reveal() }),
      ...(REDIS_SENTINELS.length > 0 && { sentinels: REDIS_SENTINELS }),
      ...(REDIS_CLUSTER_NODES.length > 0 && { nodes: REDIS_CLUSTER_NODES }),
      ...(REDIS_TLS && { authority: REDIS_TLS_CA_FILE }),
    };
  });

describe('the Redis of docker-compose.yml', () => {
  it.each<[string, Record<string, string>, object]>([
    ['is the bundled one', {}, { url: 'redis://redis:6379' }],
    ['is the one of REDIS_URL', { REDIS_URL: 'redis://elsewhere:1' }, { url: 'redis://elsewhere:1' }],
    ['is known to Sentinels', { REDIS_URL: '', REDIS_SENTINELS: 's:1,t:2' }, { sentinels: ['s:1', 't:2'] }],
    ['is a Cluster', { REDIS_URL: '', REDIS_CLUSTER_NODES: 'a:1,b:2' }, { nodes: ['a:1', 'b:2'] }],
  ])('%s', async (_what, env, expected) => {
    expect(redisOf(await configOf(env))).toEqual(own.map(() => expected));
  });

  it('is another one by the lines of the page, with files from a folder', async () => {
    for (const { text } of blocksOf('docs/deployment.md', 'Another Redis', 'compose')) await sh(text);
    const composed = await configOf({}, '--env-file .env.redis');
    const sentinels = ['s1', 's2', 's3'].map((name) => `${name}.example.com:26379`);
    expect(redisOf(composed)).toEqual(own.map(() => ({ sentinels, authority: '/etc/zai2api/files/redis-ca.crt' })));
    for (const name of own) {
      const mounts = composed.services[name]!.volumes.map((each) =>
        typeof each === 'string' ? each.split(':') : [each.source, each.target],
      );
      expect(mounts).toContainEqual(expect.arrayContaining([join(clone.folder, 'files'), '/etc/zai2api/files']));
    }
  });
});
