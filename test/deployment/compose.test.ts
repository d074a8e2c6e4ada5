import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRedisConfigured, parseSettings, redisAddressOf, redisSettings, type RedisAddress } from '@zai2api/runtime';
import { join } from 'node:path';
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

/** Where each service would look for Redis. */
const redisOf = ({ services }: Composed): RedisAddress[] =>
  own.map((name) => {
    const entries = Object.entries(services[name]!.environment);
    const settings = parseSettings(
      redisSettings,
      Object.fromEntries(entries.flatMap(([variable, value]) => (value === null ? [] : [[variable, value]]))),
    );
    expect(isRedisConfigured(settings)).toBe(true);
    return redisAddressOf(settings);
  });

describe('the Redis of docker-compose.yml', () => {
  it.each<[string, Record<string, string>, object]>([
    ['is the bundled one', {}, { kind: 'single', node: { host: 'redis', port: 6379 } }],
    ['is the one of REDIS_URL', { REDIS_URL: 'redis://elsewhere:1' }, { node: { host: 'elsewhere', port: 1 } }],
    [
      'is known to Sentinels',
      { REDIS_URL: '', REDIS_SENTINELS: 's:1' },
      { kind: 'sentinel', sentinels: [{ port: 1 }] },
    ],
    ['is a Cluster', { REDIS_URL: '', REDIS_CLUSTER_NODES: 'a:1,b:2' }, { kind: 'cluster', nodes: [{}, { port: 2 }] }],
  ])('%s', async (_what, env, expected) => {
    expect(redisOf(await configOf(env))).toMatchObject(Array(own.length).fill(expected));
  });

  it('is another one by the lines of the page, with files from a folder', async () => {
    for (const { text } of blocksOf('docs/deployment.md', 'Another Redis', 'compose')) await sh(text);
    const composed = await configOf({}, '--env-file .env.redis');
    expect(redisOf(composed)).toMatchObject(
      Array(own.length).fill({ kind: 'sentinel', usesTls: true, sentinels: [{}, {}, { host: 's3.example.com' }] }),
    );
    for (const name of own) {
      const { environment, volumes } = composed.services[name]!;
      expect(environment['REDIS_TLS_CA_FILE']).toBe('/etc/zai2api/files/redis-ca.crt');
      const mounts = volumes.map((each) => (typeof each === 'string' ? each.split(':') : [each.source, each.target]));
      expect(mounts).toContainEqual(expect.arrayContaining([join(clone.folder, 'files'), '/etc/zai2api/files']));
    }
  });
});
