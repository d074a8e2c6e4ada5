import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenario } from '../support/chat-client.ts';
import { chunksOf, hasContent, joinChunks, readEventStream, type EventStream } from '../support/event-stream.ts';
import { openResponsesSocket, outputText } from '../support/responses-socket.ts';
import { waitFor } from '../support/wait-for.ts';
import { addressOf, composePath, inspect, type Inspected } from './support/docker-engine.ts';
import { blocksOf, type DocumentedBlock } from './support/documented-blocks.ts';
import { runCommand, tryCommand } from './support/run-command.ts';
import { startStreams } from './support/stream-load.ts';
import { cloneRepository, type WorkCopy } from './support/work-copy.ts';

/**
 * docs/deployment.md on Docker from its first command to its last, in a clone, with its own ports; between the commands the tests look at
 * what they made. Later tests need the earlier ones.
 */
const PAGE = 'docs/deployment.md';
const GATEWAY = 'http://127.0.0.1:8080';
const NGINX = 'http://127.0.0.1:80';

let clone: WorkCopy;
let compose: Awaited<ReturnType<typeof composePath>>;
/** What the shell of the page has on top of the page's own settings. */
let environment: Record<string, string>;
let key = '';

/** A simulated upstream that takes what 100 streams ask of it, and heartbeats that a test can wait for. */
const simulated = {
  COMPOSE_PROFILES: 'nginx,fake',
  ZAI_API_BASE: 'http://fake-upstream:9099',
  ZAI_ANON_TOKEN_CONCURRENCY: '100',
  ZAI_SSE_HEARTBEAT_SECONDS: '1',
  // What gateways share through Redis.
  ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: '100000',
};

const sh = (text: string): Promise<string> =>
  runCommand('bash', ['--norc', '-euo', 'pipefail', '-c', text], { cwd: clone.folder, env: environment });

/** The output of a block of the page. */
const run = (block: DocumentedBlock): Promise<string> => sh(block.text);

async function runChapter(chapter: string): Promise<string> {
  let output = '';
  for (const block of blocksOf(PAGE, chapter, 'compose')) output += await run(block);
  return output;
}

async function containersOf(service = ''): Promise<Inspected[]> {
  const ids = (await sh(`docker compose --env-file .env.prod ps -q ${service}`)).trim().split('\n');
  return inspect(...ids);
}

async function healthy(): Promise<void> {
  await waitFor(
    async () =>
      (await containersOf()).every(({ State }) => State.Status === 'running' && State.Health?.Status === 'healthy'),
    { withinMs: 120_000, what: 'healthy containers' },
  );
}

async function control(path: string, body?: unknown): Promise<unknown> {
  const [fake] = await containersOf('fake-upstream');
  const response = await fetch(`http://${addressOf(fake!)}:9099/__control${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    body: body === undefined ? null : JSON.stringify(body),
  });
  return response.json();
}

async function stream(
  url: string,
  prompt: string,
  init: { signal?: AbortSignal; key?: string } = {},
): Promise<EventStream> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${init.key ?? key}` },
    body: JSON.stringify({ model: 'glm-4.7-nothinking', stream: true, messages: [{ role: 'user', content: prompt }] }),
    ...(init.signal && { signal: init.signal }),
  });
  return readEventStream(response);
}

/** The simulator's note of the completion whose prompt played `call`. */
async function noteOf(call: string): Promise<{ finishedAtMs?: number; abortedAtMs?: number } | undefined> {
  const log = (await control('/log')) as { scenario?: string; finishedAtMs?: number; abortedAtMs?: number }[];
  return log.findLast((request) => request.scenario === call.split(' ')[0]);
}

beforeAll(async () => {
  clone = await cloneRepository();
  compose = await composePath();
  const inherited = Object.keys(process.env).filter((name) => /^(ZAI|REDIS|COMPOSE|OTEL)_/.test(name));
  for (const name of inherited) Reflect.deleteProperty(process.env, name);
  environment = { PATH: compose.path, COMPOSE_PROJECT_NAME: 'zai2api-page' };
  console.log(`Compose ${compose.version}`);
  const startedAtMs = performance.now();
  await sh('docker compose --profile fake build');
  console.log(`building the images: ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s`);
});

afterAll(async () => {
  environment = { PATH: compose.path, COMPOSE_PROJECT_NAME: 'zai2api-page', COMPOSE_PROFILES: 'nginx,fake' };
  await sh('docker compose down --volumes --timeout 5');
  await compose.close();
  await clone[Symbol.asyncDispose]();
});

describe('the first commands', () => {
  it('are those of the README', async () => {
    for (const block of blocksOf('README.md', 'Deploy', 'compose')) await run(block);
  });

  it('bring up the three services and Redis, open, and on loopback only', async () => {
    const output = await sh(blocksOf(PAGE, 'Docker', 'compose')[0]!.text);
    expect(output).toContain('"status":"ok"');
    const ports = (await inspect(...(await sh('docker compose ps -q')).trim().split('\n'))).flatMap(
      ({ NetworkSettings }) => Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? []),
    );
    expect(ports).toEqual([{ HostIp: '127.0.0.1', HostPort: '8080' }]);
    await sh('docker compose down --timeout 5');
  });

  it('give a streamed token soon', async () => {
    const startedAtMs = performance.now();
    await sh('ZAI_API_BASE=http://fake-upstream:9099 docker compose --profile fake up -d');
    const upAtMs = performance.now();
    await waitFor(async () => (await (await stream(GATEWAY, 'Hello!')).find(hasContent)) !== '', { withinMs: 60_000 });
    const seconds = (fromMs: number): string => ((performance.now() - fromMs) / 1000).toFixed(1);
    console.log(
      `docker compose up to the first streamed token: ${seconds(startedAtMs)} s, ${seconds(upAtMs)} s of them after it returned`,
    );
    expect(performance.now() - startedAtMs).toBeLessThan(120_000);
  });

  it('answer from the simulated upstream', async () => {
    const output = await run(blocksOf(PAGE, 'Docker', 'compose')[1]!);
    expect(output).toContain('data: [DONE]');
    expect(joinChunks(chunksOf(output.split('\n\n'))).text).toContain('Hello!');
  });
});

describe('a gateway that others could reach', () => {
  it.each([
    ['published on every address', { ZAI_HOST: '0.0.0.0' }, 78],
    ['behind a public nginx', { ZAI_NGINX_HOST: '0.0.0.0' }, 78],
  ])('without a key does not start: %s', async (_case, settings, code) => {
    const result = await tryCommand('docker', ['compose', 'run', '--rm', '--no-deps', '-T', 'gateway'], {
      cwd: clone.folder,
      env: { ...environment, ...settings },
    });
    expect(result.code).toBe(code);
    expect(result.stdout + result.stderr).toContain('no key is configured');
  });
});

describe('production', () => {
  it('comes up as the page says', async () => {
    Object.assign(environment, simulated);
    await runChapter('Production');
    const secrets = await readFile(join(clone.folder, '.env.secrets'), 'utf8');
    key = /ZAI_API_KEY=(sk-\w+)/.exec(secrets)![1]!;
    await healthy();
    await control('', { perTokenConcurrency: 1000 });
    const names = (await containersOf()).map(({ Name }) => Name.replace(/^.*page[-_](.*)[-_]\d+$/, '$1'));
    expect(names.sort()).toEqual(
      [
        'chat-translator',
        'chat-translator',
        'fake-upstream',
        'gateway',
        'gateway',
        'nginx',
        'redis',
        'token-refresher',
      ].sort(),
    );
  });

  it('gives each container limits, rotation, a read-only file system and no rights', async () => {
    for (const { Name, HostConfig: host, Config: config } of await containersOf()) {
      const name = `${Name}: `;
      expect(name + String(host.ReadonlyRootfs)).toBe(`${name}true`);
      expect(host.CapDrop).toEqual(['ALL']);
      expect(host.SecurityOpt).toEqual(['no-new-privileges:true']);
      expect(host.Memory).toBeGreaterThan(0);
      expect(host.NanoCpus).toBeGreaterThan(0);
      expect(host.PidsLimit).toBeGreaterThan(0);
      expect(host.LogConfig).toEqual({ Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } });
      expect(host.RestartPolicy.Name).toBe('unless-stopped');
      if (!Name.includes('nginx')) expect(config.User).toMatch(/^(1000:1000|redis)$/);
    }
  });

  it('keeps Redis from forgetting', async () => {
    const policy = await sh('docker compose --env-file .env.prod exec -T redis redis-cli config get maxmemory-policy');
    expect(policy).toContain('noeviction');
  });

  it('shares Redis between all of them', async () => {
    for (const service of ['gateway', 'chat-translator']) {
      for (const container of await containersOf(service)) {
        const response = await fetch(`http://${addressOf(container)}:9464/readyz`);
        expect(await response.json()).toMatchObject({ status: 'ready', details: { redis: 'reachable' } });
      }
    }
  });

  it('hides the secrets from docker inspect and from the logs', async () => {
    const secrets = await readFile(join(clone.folder, '.env.secrets'), 'utf8');
    const values = [...secrets.matchAll(/=(.+)/g)].map(([, value]) => value!);
    expect(values).toHaveLength(2);
    const told = JSON.stringify(await containersOf()) + (await sh('docker compose --env-file .env.prod logs 2>&1'));
    for (const value of values) expect(told).not.toContain(value);
  });

  it('asks for the key', async () => {
    expect((await stream(NGINX, 'hi', { key: 'wrong' })).status).toBe(401);
    expect((await stream(NGINX, 'hi')).status).toBe(200);
  });
});

describe('a stream through nginx', () => {
  it('shows its first token before the second is made', async () => {
    const events = await stream(NGINX, scenario('slow frames=2 delay=5000'));
    await events.find(hasContent);
    expect((await noteOf('slow'))?.finishedAtMs).toBeUndefined();
    expect(joinChunks(chunksOf(await events.rest())).finishReasons).toEqual(['stop']);
  });

  it('comes over WebSocket, too', async () => {
    using client = await openResponsesSocket(NGINX, { authorization: `Bearer ${key}` });
    const input = scenario('slow frames=2 delay=2000');
    client.send({ type: 'response.create', model: 'glm-4.7-nothinking', input, store: false });
    const first = await client.until('response.output_text.delta');
    expect((await noteOf('slow'))?.finishedAtMs).toBeUndefined();
    const rest = await client.until('response.completed');
    expect(outputText([...first, ...rest])).toBe('word1 word2 ');
  });

  it('is kept alive through a long silence', async () => {
    const events = await stream(NGINX, scenario('stall-after-content for=8000'));
    const blocks = await events.rest();
    expect(blocks.filter((block) => block.startsWith(':')).length).toBeGreaterThanOrEqual(4);
    expect(joinChunks(chunksOf(blocks))).toMatchObject({ finishReasons: ['stop'], errors: [] });
  });

  it('is kept alive in the language of Anthropic, too', async () => {
    const response = await fetch(`${NGINX}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key, 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        model: 'claude-sonnet-4-5',
        max_tokens: 1000,
        stream: true,
        messages: [{ role: 'user', content: scenario('stall-after-content for=8000') }],
      }),
    });
    const blocks = await readEventStream(response).rest();
    expect(blocks.filter((block) => block.startsWith('event: ping')).length).toBeGreaterThanOrEqual(4);
    expect(blocks.at(-1)).toMatch(/^event: message_stop/);
  });

  it('ends upstream when its client leaves', async () => {
    const leaver = new AbortController();
    const events = await stream(NGINX, scenario('stall-after-content'), { signal: leaver.signal });
    await events.find(hasContent);
    leaver.abort();
    await waitFor(async () => (await noteOf('stall-after-content'))?.abortedAtMs !== undefined, { withinMs: 10_000 });
  });
});

describe('TLS', () => {
  it('is there as soon as there is a certificate', async () => {
    await runChapter('TLS');
    await healthy();
    const redirect = await fetch(`${NGINX}/v1/models`, { redirect: 'manual' });
    expect([redirect.status, redirect.headers.get('location')]).toEqual([308, 'https://127.0.0.1/v1/models']);
    const certificate = await readFile(join(clone.folder, 'ssl/cert.pem'));
    const request = https.request('https://127.0.0.1/v1/chat/completions', {
      method: 'POST',
      ca: certificate,
      servername: 'localhost',
      checkServerIdentity: () => undefined,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    });
    request.end(JSON.stringify({ model: 'glm-4.7', stream: true, messages: [{ role: 'user', content: 'Hello!' }] }));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    expect(text).toContain('data: [DONE]');
  });
});

describe('operation', () => {
  it('runs the commands of the management chapter', async () => {
    const output = await runChapter('Management');
    expect(output).toContain('"service":"gateway"');
    await healthy();
  });

  it('runs the commands of the monitoring chapter', async () => {
    const output = await runChapter('Monitoring');
    expect(output).toContain('zai_gateway_requests_total');
    expect(output).toContain('"status":"ready"');
    expect(output).toContain('"status":"ok"');
  });

  it('is backed up and restored', async () => {
    const redis = (command: string): Promise<string> =>
      sh(`docker compose --env-file .env.prod exec -T redis redis-cli ${command}`);
    await redis('set kept-by-the-backup yes');
    const [backup, restore] = blocksOf(PAGE, 'Backup and restore', 'compose');
    await run(backup!);
    // The disaster: no volume, no settings, no certificate.
    await sh('docker compose --env-file .env.prod down --volumes --timeout 5');
    await sh('rm -f .env.secrets ssl/cert.pem ssl/key.pem && cp .env.prod ../env.prod && rm .env.prod');
    await sh('tar -xzf backup/settings.tar.gz && cmp .env.prod ../env.prod && rm ../env.prod');
    await sh('docker compose --env-file .env.prod up -d redis');
    expect(await redis('exists kept-by-the-backup')).toContain('0');
    await run(restore!);
    await healthy();
    await control('', { perTokenConcurrency: 1000 });
    expect(await redis('get kept-by-the-backup')).toContain('yes');
    expect(await sh('curl -fsSk https://127.0.0.1/health')).toContain('"status":"ok"');
    await sh('rm ssl/cert.pem ssl/key.pem');
    await sh('docker compose --env-file .env.prod up -d --force-recreate --no-deps nginx');
    await healthy();
  });
});

describe('an update', () => {
  it('and the way back break none of 100 streams', async () => {
    // Guests of the simulator before it was restarted are unknown to it; the refresher replaces them as they are found out.
    await waitFor(async () => (await (await stream(NGINX, 'Hello!')).find(hasContent)) !== '', { withinMs: 60_000 });
    const [update, rollback] = blocksOf(PAGE, 'Updates and rollback', 'compose');
    const before = (await containersOf()).map(({ Id }) => Id);
    const load = startStreams({ url: NGINX, key, atATime: 100, frames: 20, delayMs: 500 });
    const startedAtMs = performance.now();
    const output = await run(update!);
    const updatedAtMs = performance.now();
    await run(rollback!);
    const endedAtMs = performance.now();
    const { completed, broken, slowestMs } = await load.stop();
    const after = await containersOf();
    const seconds = (ms: number): string => (ms / 1000).toFixed(1);
    console.log(
      `100 streams at a time, 2 gateways and 2 translators replaced twice (update ${seconds(updatedAtMs - startedAtMs)} s, ` +
        `rollback ${seconds(endedAtMs - updatedAtMs)} s): ${completed} whole, ${broken.length} broken, slowest ${seconds(slowestMs)} s`,
    );
    expect(output).toMatch(/chat-translator: 2 replaced[^]*gateway: 2 replaced/);
    expect(broken).toEqual([]);
    expect(completed).toBeGreaterThan(200);
    // A refresher whose image is still the same need not be.
    const replaced = after.filter(({ Name }) => /gateway|translator/.test(Name));
    expect(replaced).toHaveLength(4);
    for (const { Id } of replaced) expect(before).not.toContain(Id);
  });

  it('ends in time, with what still runs', async () => {
    const events = await stream(NGINX, scenario('slow frames=10 delay=300'));
    await events.find(hasContent);
    const startedAtMs = performance.now();
    const [blocks] = await Promise.all([
      events.rest(),
      sh('ZAI_IMAGE_TAG=previous docker compose --env-file .env.prod stop nginx gateway chat-translator'),
    ]);
    expect(joinChunks(chunksOf(blocks))).toMatchObject({ finishReasons: ['stop'], errors: [] });
    expect(performance.now() - startedAtMs).toBeLessThan(60_000);
    for (const { State } of (await containersOf()).filter(({ Name }) => /gateway|translator/.test(Name)))
      expect(State.ExitCode).toBe(0);
  });
});
