import { describe, expect, it } from '@jest/globals';
import { tryRender, type RenderOptions } from './support/render-chart.ts';

type Values = NonNullable<RenderOptions['values']>;

/** What is refused, and a part of what Helm says then: it names the value, and what to do where that is not plain. */
const refusals: readonly (readonly [what: string, values: Values, says: string])[] = [
  ['a misspelt value', { 'gateway.replcas': 3 }, "at '/gateway': additional properties 'replcas' not allowed"],
  ['a misspelt block', { gatway: {} }, "additional properties 'gatway' not allowed"],
  ['a text for a number', { 'gateway.replicas': 'many' }, "at '/gateway/replicas': got string, want integer"],
  ['negative replicas', { 'chatTranslator.replicas': -1 }, "at '/chatTranslator/replicas': minimum: got -1, want 0"],
  ['a text for a switch', { 'auth.enabled': 'yes please' }, "at '/auth/enabled': got string, want boolean"],
  ['a stream of no time', { 'defaults.streamSeconds': 0 }, "at '/defaults/streamSeconds': minimum: got 0, want 10"],
  ['a tag as a digest', { 'gateway.image.digest': 'latest' }, "at '/gateway/image/digest': 'latest' does not match"],
  ['an unknown pull policy', { 'defaults.image.pullPolicy': 'Sometimes' }, "at '/defaults/image/pullPolicy'"],
  ['a port out of range', { 'gateway.service.port': 70000 }, 'maximum: got 70,000, want 65,535'],
  [
    'an unknown kind of Service',
    { 'gateway.service.type': 'Public' },
    "at '/gateway/service/type': value must be one of",
  ],
  [
    'a key with a comma',
    { 'secrets.apiKeys.values': ['one,two'] },
    "at '/secrets/apiKeys/values/0': 'one,two' does not match",
  ],
  [
    'a key with two names',
    { 'secrets.apiKeys.values': ['team a sk-0123456789'] },
    "at '/secrets/apiKeys/values/0': 'team a sk-0123456789' does not match",
  ],
  ['a Redis address of another kind', { 'secrets.redisUrl.value': 'http://redis' }, "at '/secrets/redisUrl/value'"],
  [
    'a Sentinel without a port',
    { 'redis.sentinels': ['redis-0'] },
    "at '/redis/sentinels/0': 'redis-0' does not match",
  ],
  ['a quantity that is none', { 'gateway.resources.limits.memory': 'much' }, "at '/gateway/resources/limits/memory'"],
  ['a duration without a unit', { 'monitoring.podMonitor.interval': '30' }, "at '/monitoring/podMonitor/interval'"],
  ['a variable without a name', { 'gateway.extraEnv': [{ value: 'x' }] }, "missing property 'name'"],
  [
    'a name of 60 characters',
    { fullnameOverride: 'a'.repeat(60) },
    "at '/fullnameOverride': maxLength: got 60, want 38",
  ],
  [
    'a setting that nobody has',
    { 'gateway.settings.ZAI_MAX_REQUESTS': 1 },
    'gateway.settings.ZAI_MAX_REQUESTS: no service has such a setting; other variables go into extraEnv.',
  ],
  [
    'a setting of another service',
    { 'gateway.settings.ZAI_ANON_POOL_SIZE': 1 },
    'gateway.settings.ZAI_ANON_POOL_SIZE: is a setting of the token-refresher alone.',
  ],
  [
    'a secret among the settings',
    { 'gateway.settings.ZAI_API_KEY': 'k' },
    'gateway.settings.ZAI_API_KEY: is a secret: set secrets.apiKeys.',
  ],
  [
    'a setting that the chart sets',
    { 'defaults.settings.ZAI_ADMIN_PORT': 1 },
    'defaults.settings.ZAI_ADMIN_PORT: is 9464',
  ],
  [
    'a secret twice',
    { 'secrets.apiKeys': { values: ['k'], existingSecret: 's' } },
    'secrets.apiKeys: has a value and an existingSecret; give one of them.',
  ],
  [
    'two ways to Redis',
    { 'secrets.redisUrl.value': 'redis://r' },
    'redis.bundled.enabled and secrets.redisUrl each say where Redis is; leave one',
  ],
  [
    'no way to Redis',
    { 'redis.bundled.enabled': false },
    'tokenRefresher: fills a Redis that the translators share, and there is none.',
  ],
  ['TLS to the bundled Redis', { 'redis.tls.enabled': true }, 'redis.tls and redis.username are for an external Redis'],
  [
    'a client certificate without its key',
    {
      'redis.bundled.enabled': false,
      'redis.clusterNodes': ['r:1'],
      'redis.tls': { existingSecret: 's', certKey: 'c' },
    },
    'redis.tls.certKey and redis.tls.keyKey belong together.',
  ],
  [
    'a Secret of files, and no file',
    { 'redis.bundled.enabled': false, 'redis.clusterNodes': ['r:1'], 'redis.tls.existingSecret': 's' },
    'redis.tls.existingSecret: say by caKey, certKey and keyKey what is in it.',
  ],
  [
    'a password of Sentinels without Sentinels',
    { 'secrets.redisSentinelPassword.value': 'p' },
    'redis.sentinels: is empty, but there is a user or password for Sentinels.',
  ],
  [
    'two scalers',
    { 'gateway.autoscaling.enabled': true, 'gateway.keda': { enabled: true, prometheusAddress: 'http://p' } },
    'gateway: autoscaling and keda would scale the same pods; enable one of them.',
  ],
  [
    'a least above the most',
    { 'gateway.autoscaling': { enabled: true, minReplicas: 11 } },
    'gateway.autoscaling: minReplicas is above maxReplicas.',
  ],
  [
    'scaling on nothing',
    { 'gateway.autoscaling': { enabled: true, targetCPUUtilizationPercentage: 0 } },
    'gateway.autoscaling: has no metric to scale on.',
  ],
  [
    'a share of CPU that is not requested',
    { 'gateway.autoscaling.enabled': true, 'gateway.resources': { requests: { cpu: null } } },
    'gateway.autoscaling: scales on a percentage of gateway.resources.requests.cpu, which is not set.',
  ],
  [
    'KEDA without a source',
    { 'gateway.keda.enabled': true },
    'gateway.keda: prometheusAddress or triggers must be set.',
  ],
  [
    'one account that every service makes',
    { 'defaults.serviceAccount.name': 'shared' },
    'gateway.serviceAccount.name: shared is made by another service already; set create=false here.',
  ],
  [
    'a port of the nodes inside of the cluster',
    { 'gateway.service.nodePort': 30080 },
    'gateway.service.nodePort: is for a Service of another type than ClusterIP.',
  ],
  [
    'a traffic policy inside of the cluster',
    { 'gateway.service.externalTrafficPolicy': 'Local' },
    'gateway.service.externalTrafficPolicy: is for a Service of another type than ClusterIP.',
  ],
  [
    'a fallback of no size',
    { 'gateway.keda': { enabled: true, prometheusAddress: 'http://p', fallback: { failureThreshold: 3 } } },
    "at '/gateway/keda/fallback': properties 'replicas' required, if 'failureThreshold' exists",
  ],
  [
    'KEDA that counts pods of which there are none',
    { 'gateway.keda': { enabled: true, minReplicas: 0, prometheusAddress: 'http://p' } },
    'gateway.keda.minReplicas: 0 would never scale up again',
  ],
  [
    'KEDA on what cannot be counted',
    { 'tokenRefresher.keda': { enabled: true, prometheusAddress: 'http://p' } },
    'tokenRefresher.keda: triggers must be set: nothing runs here that could be counted.',
  ],
  [
    'a budget that stops every drain',
    { 'gateway.replicas': 2, 'gateway.podDisruptionBudget.maxUnavailable': 0 },
    'gateway.podDisruptionBudget.maxUnavailable: 0 would let no node be drained.',
  ],
  [
    'a budget that keeps all pods',
    { 'gateway.replicas': 2, 'gateway.podDisruptionBudget.minAvailable': 2 },
    'gateway.podDisruptionBudget.minAvailable: 2 would let no node be drained while 2 run.',
  ],
  [
    'a budget that keeps the last pod',
    { 'gateway.autoscaling': { enabled: true, minReplicas: 1 }, 'gateway.podDisruptionBudget.minAvailable': 1 },
    'gateway.podDisruptionBudget.minAvailable: 1 would let no node be drained while 1 run.',
  ],
  [
    'a budget of everything',
    { 'gateway.replicas': 5, 'gateway.podDisruptionBudget.minAvailable': '100%' },
    '100% would',
  ],
  [
    'a share that is rounded up to everything',
    { 'gateway.replicas': 5, 'gateway.podDisruptionBudget.minAvailable': '81%' },
    '81% would',
  ],
  [
    'a label that selectors go by',
    { commonLabels: { 'app.kubernetes.io/name': 'llm' } },
    "invalid propertyName 'app.kubernetes.io/name'",
  ],
  [
    'a label of a pod that selectors go by',
    { 'gateway.podLabels': { 'app.kubernetes.io/component': 'edge' } },
    "invalid propertyName 'app.kubernetes.io/component'",
  ],
  [
    'a label that Helm goes by',
    { commonLabels: { 'app.kubernetes.io/managed-by': 'us' } },
    "invalid propertyName 'app.kubernetes.io/managed-by'",
  ],
  ['an Ingress without hosts', { 'ingress.enabled': true }, 'ingress.hosts: is empty; name at least one host.'],
  [
    'a route to no Gateway',
    { 'httpRoute.enabled': true },
    'httpRoute.parentRefs: is empty; name the Gateway that the route belongs to.',
  ],
  [
    'a way in that leads nowhere',
    { 'gateway.enabled': false, 'ingress.enabled': true, 'ingress.hosts': [{ host: 'h' }] },
    'gateway.enabled: is false, but ingress or httpRoute lead to it.',
  ],
  [
    'a gateway without a translator',
    { 'chatTranslator.enabled': false },
    'chatTranslator.enabled: is false, so the gateway needs the address of another one: a ZAI_TRANSLATOR_URL in gateway.extraEnv or gateway.extraEnvFrom, and a way to it in gateway.networkPolicy.extraEgress.',
  ],
  [
    'no guests and no tokens or keys of your own',
    { 'guests.enabled': false },
    'no upstream has credentials: set secrets.platformKeys, or enable the tokenRefresher with guests.enabled or secrets.userTokens.',
  ],
  [
    'guests, and nobody who fetches their tokens',
    { 'tokenRefresher.enabled': false, 'redis.bundled.enabled': false },
    'no upstream has credentials: ',
  ],
  [
    'tokens, and nobody who puts them into the Redis',
    { 'tokenRefresher.enabled': false, 'secrets.userTokens.existingSecret': 'tokens' },
    'no upstream has credentials: ',
  ],
  [
    'the official API without a key',
    { 'chatTranslator.settings.ZAI_UPSTREAMS': 'platform' },
    'no upstream has credentials (ZAI_UPSTREAMS: platform): ',
  ],
  [
    'the web backend with a key of the official API',
    { 'chatTranslator.settings.ZAI_UPSTREAMS': 'web', 'guests.enabled': false, 'secrets.platformKeys.values': ['k'] },
    'no upstream has credentials (ZAI_UPSTREAMS: web): ',
  ],
  [
    'both monitors',
    { 'monitoring.serviceMonitor.enabled': true, 'monitoring.podMonitor.enabled': true },
    'monitoring: serviceMonitor and podMonitor would read everything twice; enable one of them.',
  ],
  [
    'a public port for the refresher',
    { 'tokenRefresher.service.port': 80 },
    'tokenRefresher.service.port: is set, but the token-refresher listens on no port that others call.',
  ],
];

describe('bad values are refused, with what is wrong', () => {
  it.each(refusals)('%s', async (_what, values, says) => {
    const { code, stderr, stdout } = await tryRender({ values });
    expect({ code, stdout, saysWhat: stderr.includes(says) || stderr }).toEqual({
      code: 1,
      stdout: '',
      saysWhat: true,
    });
  });

  it.each([
    ['KEDA', 'keda.sh/v1alpha1', { 'gateway.keda': { enabled: true, prometheusAddress: 'http://p' } }],
    ['the Prometheus operator', 'monitoring.coreos.com/v1', { 'monitoring.podMonitor.enabled': true }],
    [
      'the Gateway API',
      'gateway.networking.k8s.io/v1',
      { 'httpRoute.enabled': true, 'httpRoute.parentRefs': [{ name: 'g' }] },
    ],
  ])('a cluster without %s', async (what, api, values: Values) => {
    const { code, stderr } = await tryRender({ values, hasOptionalApis: false });
    expect(code).toBe(1);
    expect(stderr).toContain(`the cluster does not know ${api}; install ${what} first.`);
    expect((await tryRender({ values })).stderr).toBe('');
  });

  const keyOf = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: 'own', key: 'own' } } });
  const external = { 'redis.bundled.enabled': false, 'secrets.redisUrl.existingSecret': 'redis' };
  const noRefresher = { 'tokenRefresher.enabled': false };
  it.each<[string, Values]>([
    [
      'credentials in a variable',
      { 'guests.enabled': false, 'chatTranslator.extraEnv': [keyOf('ZAI_PLATFORM_API_KEY')] },
    ],
    [
      'credentials in a file',
      { 'guests.enabled': false, 'tokenRefresher.extraEnv': [keyOf('ZAI_UPSTREAM_TOKEN_FILE')] },
    ],
    [
      'credentials in variables that nobody sees here',
      { 'guests.enabled': false, 'chatTranslator.extraEnvFrom': [{ secretRef: { name: 'own' } }] },
    ],
    ['credentials that another release puts into the Redis', { ...external, ...noRefresher, 'guests.enabled': false }],
    [
      'user tokens without any Redis',
      { ...noRefresher, 'redis.bundled.enabled': false, 'secrets.userTokens.values': ['token'] },
    ],
    ['no translator that would need credentials', { 'chatTranslator.enabled': false, 'gateway.enabled': false }],
    [
      'the address of a translator that nobody sees here',
      { 'chatTranslator.enabled': false, 'gateway.extraEnvFrom': [{ configMapRef: { name: 'own' } }] },
    ],
    [
      'no pods, and a trigger that starts one',
      { 'gateway.keda': { enabled: true, minReplicas: 0, triggers: [{ type: 'cron' }] } },
    ],
    [
      'one account that one service makes',
      { 'defaults.serviceAccount': { create: false, name: 'shared' }, 'gateway.serviceAccount.create': true },
    ],
    ['a port of the nodes', { 'gateway.service': { type: 'NodePort', nodePort: 30080 } }],
    ['a budget for fewer than all', { 'gateway.replicas': 2, 'gateway.podDisruptionBudget.minAvailable': 1 }],
    ['a share of fewer than all', { 'gateway.replicas': 5, 'gateway.podDisruptionBudget.minAvailable': '80%' }],
  ])('but not %s', async (_what, values) => {
    expect(await tryRender({ values })).toMatchObject({ code: 0, stderr: '' });
  });

  it('a Kubernetes that is too old', async () => {
    const { code, stderr } = await tryRender({ kubernetesVersion: '1.29.9' });
    expect(code).toBe(1);
    expect(stderr).toContain('chart requires kubeVersion: >=1.30.0-0 which is incompatible with Kubernetes v1.29.9');
  });

  it('all faults are told at once', async () => {
    const { stderr } = await tryRender({ values: { 'ingress.enabled': true, 'gateway.keda.enabled': true } });
    expect(stderr.split('\n').filter((line) => line.startsWith('- '))).toHaveLength(2);
  });
});
