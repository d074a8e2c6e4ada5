import { describe, expect, it } from '@jest/globals';
import { objectOf } from './support/kubernetes-objects.ts';
import { render, type RenderOptions } from './support/render-chart.ts';

type Values = NonNullable<RenderOptions['values']>;

interface Rule {
  readonly ports: readonly { readonly port: number | string; readonly protocol?: string }[];
  readonly to?: readonly { readonly ipBlock?: object; readonly podSelector?: { readonly matchLabels: object } }[];
  readonly from?: readonly object[];
}

async function egressOf(service: string, values: Values): Promise<readonly Rule[]> {
  const policy = objectOf(await render({ values }), 'NetworkPolicy', `zai2api-${service}`);
  return policy.spec?.['egress'] as readonly Rule[];
}

/** The ports that the rule for `kind` opens: upstreams are public addresses, Redis and the collector are anywhere. */
function portsOf(rules: readonly Rule[], kind: 'upstream' | 'anywhere'): readonly (readonly (number | string)[])[] {
  return rules
    .filter(({ to, ports }) => (kind === 'upstream' ? to?.[0]?.ipBlock : !to && ports.some(({ port }) => port !== 53)))
    .map(({ ports }) => ports.map(({ port }) => port).filter((port) => port !== 53 && port !== 5353))
    .filter((ports) => ports.length > 0);
}

const external = { 'redis.bundled.enabled': false };

describe.each(['gateway', 'chat-translator', 'token-refresher'])('the policy of the %s', (service) => {
  it.each<[string, Values, readonly number[]]>([
    ['a URL', { 'secrets.redisUrl.value': 'rediss://user:p%40ss:1@redis.example.com:6390/2' }, [6379, 26379, 6390]],
    [
      'a URL without a port',
      { 'secrets.redisUrl.value': 'redis://redis', 'networkPolicy.redisPorts': [7000] },
      [7000, 6379],
    ],
    ['a URL with an IPv6 address', { 'secrets.redisUrl.value': 'redis://[fd00::6391]:6380' }, [6379, 26379, 6380]],
    ['Sentinels', { 'redis.sentinels': ['a:5000', 'b:5001', 'c:5000'] }, [6379, 26379, 5000, 5001]],
    ['nodes', { 'redis.clusterNodes': ['a:7000', '[::1]:7001'] }, [6379, 26379, 7000, 7001]],
    ['a Secret', { 'secrets.redisUrl.existingSecret': 'redis', 'networkPolicy.redisPorts': [6390] }, [6390]],
  ])('opens the ports of a Redis that is told by %s', async (_what, values, ports) => {
    expect(portsOf(await egressOf(service, { ...external, ...values }), 'anywhere')).toEqual([ports]);
  });

  it.each([
    ['https://otlp.example.com', 443],
    ['https://otlp.example.com/v1:2/path', 443],
    ['http://collector.observability:9999/', 9999],
    ['http://$(NODE_IP):4320', 4320],
    ['http://collector', 80],
  ])('opens the port of the collector %s', async (endpoint, port) => {
    const rules = await egressOf(service, { 'tracing.endpoint': endpoint });
    expect(portsOf(rules, 'anywhere')).toEqual([[4317, 4318, port]]);
  });
});

describe('the policies', () => {
  const bases = { ZAI_API_BASE: 'https://web.example.com:8443', ZAI_PLATFORM_BASE: 'https://api.example.com:9443/v4' };

  it('open the ports of the upstreams of each service, on public addresses alone', async () => {
    expect(portsOf(await egressOf('chat-translator', {}), 'upstream')).toEqual([[443]]);
    const values = { 'defaults.settings': bases };
    expect(portsOf(await egressOf('chat-translator', values), 'upstream')).toEqual([[443, 8443, 9443]]);
    expect(portsOf(await egressOf('token-refresher', values), 'upstream')).toEqual([[443, 8443]]);
    expect(portsOf(await egressOf('gateway', values), 'upstream')).toEqual([]);
  });

  it('go by the variable where there is one', async () => {
    const values = {
      'defaults.settings': bases,
      'chatTranslator.extraEnv': [
        { name: 'ZAI_API_BASE', value: 'https://other.example.com:1443' },
        { name: 'ZAI_PLATFORM_BASE', valueFrom: { configMapKeyRef: { name: 'n', key: 'k' } } },
      ],
    };
    expect(portsOf(await egressOf('chat-translator', values), 'upstream')).toEqual([[443, 1443]]);
  });

  it('open the port of media over http where that is on', async () => {
    const values = (isOn: unknown) => ({ 'chatTranslator.settings.ZAI_MEDIA_ALLOW_HTTP': isOn });
    expect(portsOf(await egressOf('chat-translator', values(true)), 'upstream')).toEqual([[443, 80]]);
    expect(portsOf(await egressOf('chat-translator', values('yes')), 'upstream')).toEqual([[443, 80]]);
    expect(portsOf(await egressOf('chat-translator', values(false)), 'upstream')).toEqual([[443]]);
  });

  it('lead a gateway to the translators of its release where there are any', async () => {
    const toPods = (rules: readonly Rule[]): unknown[] =>
      rules.flatMap(({ to = [] }) => to.flatMap(({ podSelector }) => podSelector?.matchLabels ?? []));
    const translator = expect.objectContaining({ 'app.kubernetes.io/component': 'chat-translator' });
    expect(toPods(await egressOf('gateway', {}))).toContainEqual(translator);
    const elsewhere = {
      'chatTranslator.enabled': false,
      'gateway.extraEnvFrom': [{ configMapRef: { name: 'elsewhere' } }],
      'gateway.networkPolicy.extraEgress': [{ ports: [{ port: 8081 }], to: [{ ipBlock: { cidr: '10.0.0.9/32' } }] }],
    };
    const rules = await egressOf('gateway', elsewhere);
    expect(toPods(rules)).not.toContainEqual(translator);
    expect(rules.at(-1)).toEqual(elsewhere['gateway.networkPolicy.extraEgress'][0]);
  });

  it('let through to the bundled Redis what a user adds', async () => {
    const rule = { ports: [{ port: 9121, protocol: 'TCP' }], from: [{ namespaceSelector: {} }] };
    const objects = await render({ values: { 'redis.bundled.networkPolicy.extraIngress': [rule] } });
    const { spec } = objectOf(objects, 'NetworkPolicy', 'zai2api-redis');
    expect(spec).toMatchObject({ ingress: [{ ports: [{ port: 'redis' }] }, rule], egress: [] });
  });
});
