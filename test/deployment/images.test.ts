import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';
import { inspect } from './support/docker-engine.ts';
import { runCommand, tryCommand } from './support/run-command.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const base = process.env['NODE_IMAGE'] ?? 'node:24-bookworm-slim';
const services = ['gateway', 'chat-translator', 'token-refresher', 'standalone'] as const;
const tag = (service: string): string => `zai2api/${service}:test`;
const SECRET = 'sk-must-not-be-in-an-image';
const MEGABYTE = 1_000_000;

const containers: string[] = [];

async function start(image: string, options: readonly string[], words: readonly string[] = []): Promise<string> {
  const id = (await runCommand('docker', ['run', '--detach', '--read-only', ...options, image, ...words])).trim();
  containers.push(id);
  return id;
}

async function logsOf(id: string): Promise<string> {
  const { stdout, stderr } = await tryCommand('docker', ['logs', id]);
  return stdout + stderr;
}

async function endOf(id: string, withinMs: number): Promise<number> {
  return Number(await runCommand('docker', ['wait', id], { withinMs }));
}

beforeAll(async () => {
  for (const service of services) {
    const words = ['build', '--quiet', '--file', 'services/Dockerfile', '--build-arg', `SERVICE=${service}`];
    await runCommand('docker', [...words, '--build-arg', `NODE_IMAGE=${base}`, '--tag', tag(service), '.'], {
      cwd: repository,
      env: { ZAI_API_KEY: SECRET, ZAI_UPSTREAM_TOKEN: SECRET },
    });
  }
});

afterAll(async () => {
  if (containers.length > 0) await runCommand('docker', ['rm', '--force', ...containers]);
});

describe.each(services)('the image of %s', (service) => {
  it('is small, says what it is, and is not root', async () => {
    const [image, baseImage] = await inspect(tag(service), base);
    const { Size: size, Config: config } = image!;
    const above = size - baseImage!.Size;
    console.log(`${service}: ${(size / MEGABYTE).toFixed(0)} MB, ${(above / MEGABYTE).toFixed(1)} MB above ${base}`);
    expect(above).toBeLessThan(40 * MEGABYTE);
    expect(config.User).toBe('1000:1000');
    expect(config.Healthcheck?.Test[0]).toBe('CMD');
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': `zai2api ${service}`,
      'org.opencontainers.image.licenses': 'MIT',
      'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });

  it('has the packages of production alone, no sources, no settings of whoever built it', async () => {
    const listing = await runCommand('docker', [
      ...['run', '--rm', '--entrypoint', 'sh', tag(service), '-c'],
      'cd /app && ls node_modules node_modules/@* services libs && find . -name "*.ts" -o -name "*.map" -o -name ".env*" -o -name "*.test.js" -path "*/dist/*"',
    ]);
    const lines = listing.split('\n');
    for (const unwanted of ['jest', 'openai', '@langchain', 'typescript', 'eslint', 'testcontainers'])
      expect(lines).not.toContain(unwanted);
    expect(lines.filter((line) => line.startsWith('./'))).toEqual([]);
    const history = await runCommand('docker', ['history', '--no-trunc', '--format', '{{.CreatedBy}}', tag(service)]);
    expect(history + JSON.stringify(await inspect(tag(service)))).not.toContain(SECRET);
  });
});

describe('the packages in the images', () => {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, { version?: string; dev?: boolean }>;
  };
  const list = `
    const { globSync, readFileSync } = require('node:fs');
    const files = globSync(['node_modules/*/package.json', 'node_modules/@*/*/package.json', 'node_modules/**/node_modules/*/package.json']);
    for (const file of files.filter((file) => !file.includes('@zai2api')))
      console.log(file.slice(0, -'/package.json'.length), JSON.parse(readFileSync(file)).version);`;

  it.each(services)('%s: are those of the lockfile', async (service) => {
    const words = ['run', '--rm', '--workdir', '/app', '--entrypoint', 'node', tag(service), '--eval', list];
    const found = (await runCommand('docker', words)).trim().split('\n');
    expect(found.length).toBeGreaterThan(20);
    const locked = found.map((line) => {
      const path = line.split(' ')[0] ?? '';
      const { version, dev = false } = lock.packages[path] ?? {};
      return `${path} ${String(version)}${dev ? ' (for development)' : ''}`;
    });
    expect(found).toEqual(locked);
  });
});

describe('a container', () => {
  it.each(['1000:1000', '12345:0'])(
    'runs as %s on a file system that it cannot write, and turns healthy',
    async (user) => {
      const id = await start(tag('gateway'), ['--user', user, '--cap-drop', 'ALL', '--env', 'ZAI_API_KEY=sk-a']);
      await waitFor(async () => (await inspect(id))[0]?.State.Health?.Status === 'healthy', { withinMs: 60_000 });
      const told = await runCommand('docker', ['exec', id, 'sh', '-c', 'id -u; touch /app/x /tmp/x 2>&1; true']);
      expect(told).toMatch(new RegExp(`^${user.split(':')[0] ?? ''}\n`));
      expect(told.match(/Read-only file system/g)).toHaveLength(2);
    },
  );

  it('ends soon after SIGTERM, with 0', async () => {
    const id = await start(tag('gateway'), ['--env', 'ZAI_API_KEY=sk-a']);
    await waitFor(async () => (await logsOf(id)).includes('"started"'), { withinMs: 60_000 });
    const startedAtMs = performance.now();
    await runCommand('docker', ['kill', '--signal', 'TERM', id]);
    expect(await endOf(id, 30_000)).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  it.each([
    ['no key', [], 'no key is configured'],
    ['a bad value', ['--env', 'ZAI_API_KEY=sk-a', '--env', 'ZAI_QUEUE_SIZE=many'], 'ZAI_QUEUE_SIZE'],
  ])('with %s ends with 78 and says why', async (_case, options, reason) => {
    const id = await start(tag('gateway'), options);
    expect(await endOf(id, 60_000)).toBe(78);
    expect(await logsOf(id)).toContain(reason);
  });

  it('does not start without the settings of a mounted file that it cannot read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    const file = join(folder, 'secrets.env');
    await writeFile(file, 'ZAI_API_KEY=sk-a\n', { mode: 0o000 });
    const id = await start(tag('gateway'), ['--volume', `${file}:/etc/zai2api/secrets.env:ro`]);
    expect(await endOf(id, 60_000)).not.toBe(0);
    expect(await logsOf(id)).toContain('/etc/zai2api/secrets.env');
    await rm(folder, { recursive: true });
  });

  it('takes settings from a mounted file', async () => {
    const file = fileURLToPath(new URL('support/settings.env', import.meta.url));
    const id = await start(tag('gateway'), ['--volume', `${file}:/etc/zai2api/secrets.env:ro`]);
    await waitFor(async () => (await logsOf(id)).includes('"started"'), { withinMs: 60_000 });
    expect(await logsOf(id)).not.toContain('sk-from-a-file');
    expect(JSON.stringify(await inspect(id))).not.toContain('sk-from-a-file');
    const status = await runCommand('docker', [
      ...['exec', id, 'node', '-e'],
      "fetch('http://127.0.0.1:8080/v1/models', { headers: { 'x-api-key': 'no' } }).then((answer) => console.log(answer.status))",
    ]);
    expect(status.trim()).toBe('401');
  });
});
