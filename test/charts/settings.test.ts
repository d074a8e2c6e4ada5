import { globSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { resolveGatewaySettings, type gatewaySettings } from '@zai2api/gateway';
import { findUnknownSettings, parseSettings, type Settings } from '@zai2api/runtime';
import { chartServices, isSecretSetting } from '../../scripts/chart-settings.ts';
import { podsOf, type Container, type KubernetesObject } from './support/kubernetes-objects.ts';
import { chartFolder, examples, render } from './support/render-chart.ts';

const root = new URL('../../', import.meta.url).pathname;
const isStandard = (name: string): boolean => name.startsWith('OTEL_') && openTelemetryNames.has(name);
/** What the published packages of OpenTelemetry read: the standard's own names. */
const openTelemetryNames = new Set(
  globSync(`${root}node_modules/@opentelemetry/*/build/src/**/*.js`).flatMap((file) =>
    Array.from(readFileSync(file, 'utf8').matchAll(/\bOTEL_[A-Z_]+\b/g), ([name]) => name),
  ),
);
/** Names for other variables to refer to. */
const forReference = ['K8S_NODE_NAME', 'K8S_POD_NAME'];

/** The containers of the services in rendered objects, by the service. */
function serviceContainers(objects: readonly KubernetesObject[]): Map<string, Container> {
  return new Map(
    podsOf(objects)
      .filter(({ owner }) => owner.startsWith('Deployment '))
      .flatMap(({ pod }) =>
        pod.spec.containers.flatMap((container) =>
          container.name in chartServices ? [[container.name, container] as const] : [],
        ),
      ),
  );
}

/** The environment that a container would start with; a secret is a text of its own. */
function environmentOf({ env = [] }: Container): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value }) => [
      name,
      value ?? (name === 'REDIS_URL' ? 'rediss://:p@redis:6380' : `secret-of-${name}`),
    ]),
  );
}

/** Everything that the processes would refuse or ignore, they must not be given. */
describe.each(examples)('in the example %s', (example) => {
  let containers: Map<string, Container>;
  beforeAll(async () => {
    containers = serviceContainers(await render({ example }));
  });

  it('every variable is one that the code reads', () => {
    expect(containers.size).toBeGreaterThan(1);
    for (const [service, { env = [] }] of containers) {
      const fromExample = example === 'extensions' ? ['NODE_EXTRA_CA_CERTS', 'NODE_NAME'] : [];
      const unknown = env
        .map(({ name }) => name)
        .filter(
          (name) =>
            !(name in chartServices[service]!) &&
            !isStandard(name) &&
            ![...forReference, ...fromExample].includes(name),
        );
      expect({ service, unknown }).toEqual({ service, unknown: [] });
      expect(new Set(env.map(({ name }) => name)).size).toBe(env.length);
    }
  });

  it('the code accepts all values', () => {
    for (const [service, container] of containers) {
      const env = environmentOf(container);
      const settings = parseSettings(chartServices[service]!, env);
      expect(findUnknownSettings(new Set(Object.keys(chartServices[service]!)), env)).toEqual([]);
      if (service !== 'gateway') continue;
      const gateway = resolveGatewaySettings(settings as Settings<typeof gatewaySettings>);
      expect(gateway).toMatchObject({ isLoopback: false, openNotice: undefined });
      expect(gateway.keys).toHaveLength(1);
    }
  });

  it('ports are where the code listens', () => {
    for (const [service, container] of containers) {
      const env = environmentOf(container);
      const ports = Object.fromEntries(
        (container.ports ?? []).map(({ name, containerPort }) => [name, String(containerPort)]),
      );
      expect({ service, ...ports }).toEqual({
        service,
        admin: env['ZAI_ADMIN_PORT'],
        ...(service === 'gateway' && { http: env['ZAI_PORT'] }),
        ...(service === 'chat-translator' && { http: env['ZAI_TRANSLATOR_PORT'] }),
      });
    }
  });
});

describe('the chart follows the code', () => {
  it('has the ports that the code has by default', async () => {
    for (const [service, container] of serviceContainers(await render())) {
      const shape = chartServices[service]!;
      const byDefault = parseSettings(shape, {}) as Record<string, unknown>;
      const given = parseSettings(shape, environmentOf(container)) as Record<string, unknown>;
      for (const name of ['ZAI_PORT', 'ZAI_TRANSLATOR_PORT', 'ZAI_ADMIN_PORT'])
        expect({ name, value: given[name] }).toEqual({ name, value: byDefault[name] });
    }
  });

  it('has a place among its secrets for every secret setting of the code', async () => {
    const secrets = ['apiKeys', 'userTokens', 'platformKeys'].map((name) => [
      `secrets.${name}.values`,
      ['x'.repeat(40)],
    ]);
    const others = ['signingSecret', 'redisPassword'].map((name) => [`secrets.${name}.value`, 'x']);
    const single = await render({ values: Object.fromEntries([...secrets, ...others]) as Record<string, unknown> });
    const external = await render({
      values: {
        'redis.bundled.enabled': false,
        'secrets.redisUrl.value': 'redis://r',
        'secrets.redisPassword.value': 'x',
      },
    });
    const sentinels = await render({ example: 'redis-sentinel' });
    for (const [service, shape] of Object.entries(chartServices)) {
      const placed = new Set(
        [single, external, sentinels].flatMap((objects) =>
          (serviceContainers(objects).get(service)?.env ?? []).flatMap(({ name, valueFrom }) =>
            valueFrom?.secretKeyRef ? [name] : [],
          ),
        ),
      );
      // The refresher has its user tokens as a file that may change.
      if (service === 'token-refresher') placed.add('ZAI_UPSTREAM_TOKEN');
      const secretNames = Object.keys(shape).filter((name) => isSecretSetting(shape[name]));
      expect({ service, secrets: secretNames.filter((name) => !placed.has(name)) }).toEqual({ service, secrets: [] });
    }
  });

  it('gives Redis to those services that can use one', async () => {
    const withRedis = [...serviceContainers(await render())].filter(([, { env = [] }]) =>
      env.some(({ name }) => name === 'REDIS_URL'),
    );
    expect(withRedis.map(([service]) => service).sort()).toEqual(
      Object.entries(chartServices)
        .flatMap(([service, shape]) => ('REDIS_URL' in shape ? [service] : []))
        .sort(),
    );
  });

  it('scales on metrics that the services have', () => {
    const sources = globSync(`${root}services/*/src/**/metrics.ts`)
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const files = [
      ...globSync(`${chartFolder}/templates/*.*`),
      ...globSync(`${chartFolder}/examples/*/values.yaml`),
      `${chartFolder}/README.md`,
    ];
    const named = new Set(
      files.flatMap((file) => Array.from(readFileSync(file, 'utf8').matchAll(/\bzai_[a-z_]+\b/g), ([name]) => name)),
    );
    expect(named.size).toBeGreaterThan(1);
    for (const name of named) expect(sources).toContain(`name: '${name}'`);
  });

  it('writes large numbers as they are, and takes texts, numbers and switches', async () => {
    const objects = await render({
      values: {
        'gateway.settings': {
          ZAI_MAX_BODY_BYTES: 33_554_432,
          ZAI_QUEUE_TIMEOUT: 2.5,
          ZAI_DEBUG_MODE: true,
          ZAI_CORS_ORIGINS: 'https://a,https://b',
        },
        'defaults.settings': { ZAI_LOG_LEVEL: 'debug', ZAI_API_BASE: 'https://upstream.example.com' },
      },
    });
    const containers = serviceContainers(objects);
    const gateway = environmentOf(containers.get('gateway')!);
    expect(gateway).toMatchObject({
      ZAI_MAX_BODY_BYTES: '33554432',
      ZAI_QUEUE_TIMEOUT: '2.5',
      ZAI_DEBUG_MODE: 'true',
      ZAI_CORS_ORIGINS: 'https://a,https://b',
      ZAI_LOG_LEVEL: 'debug',
    });
    // A setting for all goes to those who know it.
    expect(gateway).not.toHaveProperty('ZAI_API_BASE');
    expect(environmentOf(containers.get('token-refresher')!)).toMatchObject({
      ZAI_LOG_LEVEL: 'debug',
      ZAI_API_BASE: 'https://upstream.example.com',
    });
  });

  it('lets extraEnv go before what it sets itself', async () => {
    const objects = await render({
      values: { 'gateway.extraEnv': [{ name: 'ZAI_TRANSLATOR_URL', value: 'http://other:1' }] },
    });
    const { env = [] } = serviceContainers(objects).get('gateway')!;
    expect(env.filter(({ name }) => name === 'ZAI_TRANSLATOR_URL')).toEqual([
      { name: 'ZAI_TRANSLATOR_URL', value: 'http://other:1' },
    ]);
  });

  it('may refer to a variable of the user, which must come before', async () => {
    const objects = await render({
      values: {
        'tracing.endpoint': 'http://$(NODE_IP):4318',
        'defaults.extraEnv': [{ name: 'NODE_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } }],
      },
    });
    for (const { env = [] } of serviceContainers(objects).values()) {
      const names = env.map(({ name }) => name);
      for (const [at, { value = '' }] of env.entries()) {
        for (const [, name = ''] of value.matchAll(/\$\((\w+)\)/g)) expect(names.slice(0, at)).toContain(name);
      }
      expect(names).toEqual(expect.arrayContaining(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_RESOURCE_ATTRIBUTES']));
    }
  });

  it('gives every pod what a user adds to it, the bundled Redis and the test of the release, too', async () => {
    const extras = {
      extraEnv: [{ name: 'ADDED', value: '1' }],
      extraEnvFrom: [{ configMapRef: { name: 'added' } }],
      extraVolumes: [{ name: 'added', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'added', mountPath: '/added' }],
      initContainers: [{ name: 'before', image: 'i' }],
      extraContainers: [{ name: 'beside', image: 'i' }],
    };
    const values = Object.fromEntries(
      ['defaults', 'redis.bundled', 'tests'].flatMap((block) =>
        Object.entries(extras).map(([name, value]) => [`${block}.${name}`, value]),
      ),
    );
    const pods = podsOf(await render({ values }));
    expect(pods).toHaveLength(5);
    for (const { owner, pod } of pods) {
      const [main, beside] = pod.spec.containers;
      expect({ owner, spec: { ...pod.spec, main, beside } }).toMatchObject({
        owner,
        spec: {
          volumes: expect.arrayContaining(extras.extraVolumes),
          initContainers: extras.initContainers,
          beside: extras.extraContainers[0],
          main: {
            env: expect.arrayContaining(extras.extraEnv),
            envFrom: extras.extraEnvFrom,
            volumeMounts: expect.arrayContaining(extras.extraVolumeMounts),
          },
        },
      });
    }
  });

  it('gives every service the same shape of values', () => {
    const schema = JSON.parse(readFileSync(`${chartFolder}/values.schema.json`, 'utf8')) as {
      properties: Record<string, unknown>;
    };
    for (const block of ['defaults', 'gateway', 'chatTranslator', 'tokenRefresher'])
      expect(schema.properties[block]).toEqual({ $ref: '#/$defs/component' });
  });

  it('has nothing open in its schema but what Kubernetes defines', () => {
    const open: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { type, properties, additionalProperties } = schema as Record<string, unknown>;
      if (type === 'object' && properties !== undefined && additionalProperties !== false) open.push(path);
      for (const [key, value] of Object.entries(schema)) visit(value, `${path}/${key}`);
    };
    visit(JSON.parse(readFileSync(`${chartFolder}/values.schema.json`, 'utf8')), '');
    // Subcharts and parents share `global` by Helm's own rules.
    expect(open).toEqual(['/properties/global']);
  });
});
