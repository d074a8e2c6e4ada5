import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { blocksOf, readBlocks } from '../deployment/support/documented-blocks.ts';
import { startStack } from '../support/start-stack.ts';
import { objectOf, podsOf, type KubernetesObject } from './support/kubernetes-objects.ts';
import type { Cluster } from './support/cluster.ts';
import { openCluster } from './support/open-cluster.ts';
import { chartFolder, examples, valueArguments, type RenderOptions } from './support/render-chart.ts';
import { runTool, type ToolRun } from './support/run-tool.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

/** Helm on the cluster. */
async function helm(...args: readonly string[]): Promise<ToolRun> {
  return runTool('helm', [...args, '--namespace=zai2api'], { env: { KUBECONFIG: cluster.kubeconfig } });
}

/** `helm install` or `helm upgrade` with values; gives what it prints. Throws when it fails or warns. */
async function apply(verb: 'install' | 'upgrade', release: string, options: RenderOptions = {}): Promise<string> {
  const resets = verb === 'upgrade' ? ['--reset-values'] : [];
  const run = await helm(
    verb,
    release,
    chartFolder,
    '--disable-openapi-validation',
    ...resets,
    ...valueArguments(options),
  );
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return run.stdout;
}

async function objectsOf(release: string): Promise<KubernetesObject[]> {
  const objects = await cluster.objects();
  return objects.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance'] === release);
}

const generatedOf = async (release: string): Promise<Readonly<Record<string, string>>> =>
  objectOf(await objectsOf(release), 'Secret', `${release}-zai2api-generated`).data!;
const templatesOf = async (release: string): Promise<unknown[]> =>
  podsOf(await objectsOf(release)).map(({ owner, pod }) => ({ owner, pod }));

describe('an installed release', () => {
  it('keeps what was generated through upgrades, and restarts nothing that did not change', async () => {
    await apply('install', 'first');
    const generated = await generatedOf('first');
    expect(Object.keys(generated).sort()).toEqual(['api-keys', 'redis-password', 'seal-secret']);
    expect(new Set(Object.values(generated)).size).toBe(3);
    const pods = await templatesOf('first');
    await apply('upgrade', 'first');
    expect([await generatedOf('first'), await templatesOf('first')]).toEqual([generated, pods]);
    await apply('upgrade', 'first', { values: { 'gateway.settings.ZAI_LOG_LEVEL': 'debug' } });
    expect(await generatedOf('first')).toEqual(generated);
    expect(await templatesOf('first')).not.toEqual(pods);
  });

  it('makes another key for another release', async () => {
    await apply('install', 'second');
    await apply('install', 'third');
    expect(await generatedOf('second')).not.toEqual(await generatedOf('third'));
  });

  it('makes what is missing, and leaves what is there', async () => {
    await apply('install', 'grown', { values: { 'secrets.apiKeys.values': ['given-by-somebody-else'] } });
    const before = await generatedOf('grown');
    expect(before).not.toHaveProperty('api-keys');
    await apply('upgrade', 'grown');
    expect(await generatedOf('grown')).toEqual({ ...before, 'api-keys': expect.any(String) });
  });

  it('restarts the pods that read a given secret when it changes, and no others', async () => {
    const checksums = async (): Promise<Record<string, string | undefined>> =>
      Object.fromEntries(
        podsOf(await objectsOf('given')).map(({ owner, pod }) => [
          owner,
          pod.metadata.annotations?.['checksum/secrets'],
        ]),
      );
    await apply('install', 'given', { values: { 'secrets.apiKeys.values': ['one-key-for-all-clients'] } });
    const before = await checksums();
    await apply('upgrade', 'given', { values: { 'secrets.apiKeys.values': ['another-key-for-clients'] } });
    const after = await checksums();
    const changed = Object.keys(before).filter((owner) => before[owner] !== after[owner]);
    expect(changed).toEqual(['Deployment given-zai2api-gateway']);
  });

  it('leaves nothing behind', async () => {
    await apply('install', 'short-lived');
    expect((await objectsOf('short-lived')).length).toBeGreaterThan(10);
    await helm('uninstall', 'short-lived');
    expect(await objectsOf('short-lived')).toEqual([]);
  });

  it.each(examples)('can be that of the example %s', async (example) => {
    await apply('install', example, { example });
    expect((await objectsOf(example)).length).toBeGreaterThan(8);
  });
});

describe('the commands of the README', () => {
  it('build and push the images that the release then runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'zai2api-readme-'));
    // The API in memory has no schemas, which the making of a namespace asks for. Building is what test/deployment does, and there is no registry.
    await writeFile(join(folder, 'docker'), '#!/bin/sh\necho "docker $*"\n', { mode: 0o755 });
    const [block] = blocksOf('README.md', 'On Kubernetes', 'kubernetes');
    const { code, stdout, stderr } = await runTool(
      'bash',
      ['-euc', block!.text.replace('--create-namespace', '--disable-openapi-validation')],
      {
        cwd: fileURLToPath(new URL('../../', import.meta.url)),
        env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, KUBECONFIG: cluster.kubeconfig },
      },
    );
    await rm(folder, { recursive: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const built = [...stdout.matchAll(/^docker build .*SERVICE=(\S+) -t (\S+) \.$/gm)].map(([, ...words]) => words);
    const pushed = [...stdout.matchAll(/^docker push (\S+)$/gm)].map(([, image]) => image);
    expect(built.map(([, image]) => image)).toEqual(pushed);
    const pods = podsOf(await objectsOf('zai2api'));
    const images = built.map(([service]) => {
      const { pod } = pods.find(({ owner }) => owner === `Deployment zai2api-${String(service)}`)!;
      return pod.spec.containers[0]!.image;
    });
    expect(images).toEqual(pushed);
    expect(images).toHaveLength(3);
  });
});

describe('the upgrade of the README', () => {
  it('keeps what was given, and takes the new defaults where an old value is gone and a new one is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'zai2api-old-chart-'));
    try {
      // The chart as an older one: with a value that is gone now, without a block that is new, and with another default.
      await cp(chartFolder, folder, { recursive: true });
      const edit = async (file: string, change: (text: string) => string): Promise<void> => {
        const text = await readFile(join(folder, file), 'utf8');
        expect(change(text)).not.toBe(text);
        await writeFile(join(folder, file), change(text));
      };
      await edit('values.yaml', (text) =>
        text
          .replace(/^nameOverride: /m, 'goneByNow: 1\nnameOverride: ')
          .replace(/^tracing:\n(?: .*\n)+/m, '')
          .replace('minReadySeconds: 5', 'minReadySeconds: 55'),
      );
      await edit('values.schema.json', (text) =>
        text.replace('"nameOverride": {', '"goneByNow": {},\n"nameOverride": {'),
      );
      for (const file of ['_environment.tpl', '_secrets.tpl', 'networkpolicy.yaml'])
        await edit(`templates/${file}`, (text) => text.replaceAll('Values.tracing', 'Values.monitoring.podMonitor'));
      expect(
        await helm('install', 'aged', folder, '--disable-openapi-validation', '--set=gateway.replicas=2'),
      ).toMatchObject({ code: 0, stderr: '' });
      const deployment = async () => objectOf(await objectsOf('aged'), 'Deployment', 'aged-zai2api-gateway').spec;
      expect(await deployment()).toMatchObject({ replicas: 2, minReadySeconds: 55 });
      const generated = await generatedOf('aged');

      const block = readBlocks('charts/zai2api/README.md').find(({ text }) => text.includes('helm upgrade'))!;
      const run = await runTool(
        'bash',
        ['-euc', block.text.replace('upgrade zai2api ', 'upgrade aged --disable-openapi-validation ')],
        { cwd: fileURLToPath(new URL('../../', import.meta.url)), env: { KUBECONFIG: cluster.kubeconfig } },
      );
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(await deployment()).toMatchObject({ replicas: 2, minReadySeconds: 5 });
      expect(await generatedOf('aged')).toEqual(generated);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the notes', () => {
  it('have a command for the key, a question, and a warning about the bundled Redis', async () => {
    const notes = await apply('install', 'notes-1');
    expect(notes).toContain(
      "get secret notes-1-zai2api-generated --output go-template='{{ index .data \"api-keys\" | base64decode }}' | cut -d, -f1 | awk '{print $NF}')",
    );
    expect(notes).toContain('port-forward service/notes-1-zai2api-gateway 8080:8080');
    expect(notes).toContain(
      'curl -N "$URL/v1/chat/completions" -H \'content-type: application/json\' -H "authorization: Bearer $KEY"',
    );
    expect(warningsOf(notes)).toEqual([expect.stringContaining('the bundled Redis is a single pod for a first try')]);
  });

  it('have commands that give a streamed answer', async () => {
    const notes = await apply('install', 'notes-4');
    const { 'api-keys': key = '' } = await generatedOf('notes-4');
    await using stack = await startStack({ env: { ZAI_API_KEY: Buffer.from(key, 'base64').toString() } });
    const folder = await mkdtemp(join(tmpdir(), 'zai2api-notes-'));
    // The part of kubectl that needs a cluster with nodes.
    const kubectl = `#!/bin/sh\ncase "$*" in *"get secret notes-4-zai2api-generated "*) printf %s ${key} | base64 -d;; esac\n`;
    await writeFile(join(folder, 'kubectl'), kubectl, { mode: 0o755 });
    const [, commands = ''] = /Once its pods are ready:\n([^]*?)\nWhether it works/.exec(notes) ?? [];
    expect(commands).toContain('URL=http://127.0.0.1:8080\n');
    const { stdout } = await runTool(
      'bash',
      ['-euc', commands.replace('URL=http://127.0.0.1:8080', `URL=${stack.url}`)],
      { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } },
    );
    await rm(folder, { recursive: true });
    expect(stdout).toMatch(/"content":"Hello[^]*data: \[DONE\]/);
  });

  it.each<[string, NonNullable<RenderOptions['values']>, string]>([
    [
      'an open API',
      { 'auth.enabled': false },
      'no API key is asked for: everybody who reaches the gateway may use it.',
    ],
    [
      'an API that is open to the world',
      { 'auth.enabled': false, 'gateway.service.type': 'LoadBalancer' },
      'everybody who reaches this address, from outside of the cluster too, may use it.',
    ],
    ['short keys', { 'secrets.apiKeys.values': ['secret'] }, 'has fewer than 20 characters and can be guessed.'],
    ['secrets as values', { 'secrets.userTokens.values': ['token'] }, 'Prefer existingSecret.'],
    ['no policies', { 'networkPolicy.enabled': false }, 'there are no network policies'],
    [
      'an Ingress without TLS',
      { 'ingress.enabled': true, 'ingress.hosts': [{ host: 'h' }] },
      'keys may travel in the open.',
    ],
    [
      'Redis without TLS',
      { 'redis.bundled.enabled': false, 'redis.clusterNodes': ['r:1'] },
      'tokens travel to Redis in the open.',
    ],
    [
      'guests without a refresher',
      { 'tokenRefresher.enabled': false, 'secrets.platformKeys.values': ['k'] },
      'without the token-refresher there are none.',
    ],
    [
      'no way to a translator',
      {
        'chatTranslator.enabled': false,
        'gateway.extraEnv': [{ name: 'ZAI_TRANSLATOR_URL', value: 'http://other:1' }],
      },
      'network policy of the gateway blocks calls to the translators of ZAI_TRANSLATOR_URL: allow them in gateway.networkPolicy.extraEgress.',
    ],
    [
      'an upstream inside',
      { 'defaults.settings': { ZAI_API_BASE: 'http://upstream.llm.svc:9099' } },
      'network policy of the token-refresher blocks calls to http://upstream.llm.svc:9099, which is no public address: allow them in tokenRefresher.networkPolicy.extraEgress.',
    ],
    [
      'short translators',
      { 'gateway.streamSeconds': 1200 },
      'chatTranslator.streamSeconds is less than gateway.streamSeconds: a stop of a translator cuts answers after 600 s.',
    ],
  ])('warn of %s', async (what, values, says) => {
    const notes = await apply('install', what.replaceAll(' ', '-').toLowerCase().slice(0, 20).replace(/-$/, ''), {
      values,
    });
    expect(warningsOf(notes)).toContainEqual(expect.stringContaining(says));
    // Neither is the key ever printed, nor asked for where there is none.
    expect(notes).not.toMatch(/sk-[A-Za-z0-9]{20}/);
    expect(notes.includes('authorization: Bearer')).toBe(values['auth.enabled'] !== false);
  });

  it('say that nobody may call translators that have no gateway', async () => {
    const values = { 'gateway.enabled': false };
    expect(warningsOf(await apply('install', 'notes-5', { values }))).toContainEqual(
      expect.stringContaining('name those who may in chatTranslator.networkPolicy.extraIngress.'),
    );
  });

  it('say nothing of guests where there is no translator that could use them', async () => {
    const values = {
      'defaults.enabled': false,
      'gateway.enabled': true,
      'gateway.extraEnvFrom': [{ configMapRef: { name: 'elsewhere' } }],
    };
    expect(await apply('install', 'notes-9', { values })).not.toContain('guest tokens');
  });

  it.each<[string, NonNullable<RenderOptions['values']>]>([
    ['notes-6', {}],
    [
      'notes-7',
      {
        'chatTranslator.enabled': false,
        'gateway.extraEnv': [{ name: 'ZAI_TRANSLATOR_URL', value: 'http://other:1' }],
        'gateway.networkPolicy.extraEgress': [{ ports: [{ port: 1 }] }],
      },
    ],
    ['notes-8', { 'defaults.settings': { ZAI_API_BASE: 'https://chat.example.com:8443' } }],
  ])('say nothing of policies that let through what is called (%s)', async (release, values) => {
    expect(await apply('install', release, { values })).not.toContain('network policy');
  });

  it('name the address that the Ingress or the route has', async () => {
    const ingress = {
      'ingress.enabled': true,
      'ingress.hosts': [{ host: 'llm.example.com' }],
      'ingress.tls': [{ secretName: 't', hosts: ['llm.example.com'] }],
    };
    expect(await apply('install', 'notes-2', { values: ingress })).toContain('URL=https://llm.example.com');
    expect(await apply('install', 'notes-3', { example: 'gateway-api' })).toContain('URL=https://llm.example.com');
  });
});

function warningsOf(notes: string): string[] {
  return notes.split('\n').filter((line) => line.startsWith('WARNING: '));
}
