import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { startProcess, urlOf, type ServiceName, type ServiceProcess } from '../support/start-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { freePort } from './support/free-port.ts';
import { objectOf, podsOf, type Container, type KubernetesObject } from './support/kubernetes-objects.ts';
import { render } from './support/render-chart.ts';
import { runTool } from './support/run-tool.ts';

const DEADLINE_MS = 30_000;

/**
 * The default release without Kubernetes: the commands, the environments, the probes and the test of the rendered pods, on real processes.
 * Only what a cluster gives is put in place of it: addresses, ports and folders.
 */
describe('what the chart renders by default', () => {
  let objects: KubernetesObject[];
  let upstream: FakeUpstream;
  let folder: string;
  let redisPort: number;
  let redis: ReturnType<typeof spawn>;
  const processes = new Map<ServiceName, ServiceProcess>();

  const containerOf = (owner: string): Container =>
    podsOf(objects).find((one) => one.owner === owner)!.pod.spec.containers[0]!;
  /** The environment with the secrets of the release in it. */
  const environmentOf = ({ env = [] }: Container): Record<string, string> =>
    Object.fromEntries(
      env.map(({ name, value, valueFrom }) => {
        const { secretKeyRef } = valueFrom ?? {};
        if (secretKeyRef === undefined) return [name, value ?? ''];
        const { data } = objectOf(objects, 'Secret', secretKeyRef.name);
        return [name, Buffer.from(data![secretKeyRef.key]!, 'base64').toString()];
      }),
    );
  /** Paths and ports of the pod as they are on this machine. */
  const localize = (text: string): string =>
    text
      .replaceAll('/etc/redis', folder)
      .replaceAll('/tmp/redis.conf', `${folder}/whole.conf`)
      .replace('dir /data', `dir ${folder}`)
      .replace('port 6379', `port ${redisPort}`)
      .replace('redis-cli ', `redis-cli -p ${redisPort} `);

  function start(service: ServiceName, changes: Readonly<Record<string, string>>): ServiceProcess {
    const env = environmentOf(containerOf(`Deployment zai2api-${service}`));
    const local: Record<string, string> = { ZAI_ADMIN_PORT: '0', ZAI_ADMIN_HOST: '127.0.0.1', ...changes };
    // Nothing is changed that the chart does not set, but for the upstream.
    expect(Object.keys(local).filter((name) => !(name in env))).toEqual(service === 'gateway' ? [] : ['ZAI_API_BASE']);
    const started = startProcess(service, { ...env, ...local });
    processes.set(service, started);
    return started;
  }

  beforeAll(async () => {
    [objects, upstream, folder, redisPort] = await Promise.all([
      render(),
      startFakeUpstream({ settings: { perTokenConcurrency: 9 } }),
      mkdtemp(join(tmpdir(), 'zai2api-chart-')),
      freePort(),
    ]);
    await writeFile(
      `${folder}/redis.conf`,
      localize(objectOf(objects, 'ConfigMap', 'zai2api-redis').data!['redis.conf']!),
    );
    const container = containerOf('StatefulSet zai2api-redis');
    const [shell = '', ...options] = container.command ?? [];
    redis = spawn(shell, [...options, ...(container.args ?? []).map(localize)], {
      env: { ...process.env, ...environmentOf(container) },
      stdio: 'ignore',
    });
    const redisUrl = `redis://127.0.0.1:${redisPort}/0`;
    start('token-refresher', { ZAI_API_BASE: upstream.url, REDIS_URL: redisUrl });
    const translator = start('chat-translator', {
      ZAI_API_BASE: upstream.url,
      REDIS_URL: redisUrl,
      ZAI_TRANSLATOR_HOST: '127.0.0.1',
      ZAI_TRANSLATOR_PORT: '0',
    });
    const gateway = start('gateway', {
      REDIS_URL: redisUrl,
      ZAI_TRANSLATOR_URL: urlOf(await translator.listening),
      ZAI_HOST: '127.0.0.1',
      ZAI_PORT: '0',
    });
    await gateway.listening;
  });

  afterAll(async () => {
    await Promise.all([...processes.values()].map((one) => one.close()));
    const gone = once(redis, 'exit');
    redis.kill('SIGKILL');
    await gone;
    await Promise.all([upstream.close(), rm(folder, { recursive: true })]);
  });

  it('the bundled Redis answers its readiness probe, asks for its password and forgets nothing', async () => {
    const container = containerOf('StatefulSet zai2api-redis');
    const { command } = container.readinessProbe!.exec as { command: string[] };
    const [shell = '', ...options] = command.map(localize);
    const env = environmentOf(container);
    await waitFor(async () => (await runTool(shell, options, { env })).code === 0, { withinMs: DEADLINE_MS });
    expect((await runTool(shell, options, { env: { REDISCLI_AUTH: '' } })).code).not.toBe(0);
    const policy = await runTool('redis-cli', ['-p', String(redisPort), 'config', 'get', 'maxmemory-policy'], { env });
    expect(policy.stdout).toContain('noeviction');
  });

  it.each(['gateway', 'chat-translator', 'token-refresher'] as const)('the %s answers its probes', async (service) => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(`Deployment zai2api-${service}`);
    const { logLines } = processes.get(service)!;
    const port = await waitFor(
      () => logLines.find(({ adminPort }) => adminPort !== undefined)?.['adminPort'] as number | undefined,
      { withinMs: DEADLINE_MS },
    );
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      const { path } = probe!.httpGet!;
      await waitFor(async () => (await fetch(`http://127.0.0.1:${port}${path}`)).status === 200, {
        withinMs: DEADLINE_MS,
        what: path,
      });
    }
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
    expect(logLines.filter(({ level }) => ['warn', 'error', 'fatal'].includes(String(level)))).toEqual([]);
  });

  it('the test of the release passes, and fails with a wrong key', async () => {
    const container = containerOf('Pod zai2api-test');
    const env = { ...environmentOf(container), GATEWAY_URL: urlOf(await processes.get('gateway')!.listening) };
    const [, ...options] = container.command ?? [];
    const run = (key: string) =>
      runTool(process.execPath, [...options, ...(container.args ?? [])], { env: { ...env, API_KEYS: key } });
    const passed = await run(env['API_KEYS' as keyof typeof env]);
    expect(passed).toMatchObject({ code: 0, stderr: '' });
    expect(passed.stdout.match(/^ok /gm)).toHaveLength(3);
    const failed = await run('wrong');
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/^FAILED +GET \/v1\/models is 200/m);
  });

  it('a question with the key of the release is answered by a guest token', async () => {
    const { data } = objectOf(objects, 'Secret', 'zai2api-generated');
    const key = Buffer.from(data!['api-keys']!, 'base64').toString();
    expect(key).toMatch(/^sk-[A-Za-z0-9]{40}$/);
    const response = await fetch(`${urlOf(await processes.get('gateway')!.listening)}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'glm-4.7', messages: [{ role: 'user', content: 'hi' }] }),
    });
    const body = (await response.json()) as { choices: { message: { content: string } }[] };
    expect([response.status, body.choices[0]!.message.content]).toEqual([200, 'Hello from GLM. You said: hi']);
  });
});
