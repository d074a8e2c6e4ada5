import { describe, expect, it } from '@jest/globals';
import { containersOf, objectOf, podsOf } from './support/kubernetes-objects.ts';
import { render } from './support/render-chart.ts';

describe('the objects of a service', () => {
  it('have no rolling update in the strategy that the API would refuse with it', async () => {
    const objects = await render({ values: { 'gateway.strategy.type': 'Recreate' } });
    const strategyOf = (service: string): unknown =>
      objectOf(objects, 'Deployment', `zai2api-${service}`).spec?.['strategy'];
    expect(strategyOf('gateway')).toEqual({ type: 'Recreate' });
    expect(strategyOf('chat-translator')).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
  });

  it.each([
    ['KEDA', { 'gateway.keda': { enabled: true, prometheusAddress: 'http://p' } }],
    ['an autoscaler', { 'gateway.autoscaling': { enabled: true, minReplicas: 1 } }],
    ['hand', { 'gateway.replicas': 2 }],
  ])('are spread and kept in number where %s may make many of one', async (_what, values) => {
    const objects = await render({ values });
    const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata.name);
    expect(budgets).toEqual(['zai2api-gateway']);
    const spread = podsOf(objects).filter(({ pod }) => 'topologySpreadConstraints' in pod.spec);
    expect(spread.map(({ owner }) => owner)).toEqual(['Deployment zai2api-gateway']);
  });

  it('are alone where no more than one is ever made', async () => {
    const autoscaling = { enabled: true, minReplicas: 1, maxReplicas: 1 };
    const objects = await render({ values: { 'gateway.replicas': 3, 'gateway.autoscaling': autoscaling } });
    expect(objects.filter(({ kind }) => kind === 'PodDisruptionBudget')).toEqual([]);
  });

  it('have each label once, that of the object before that of all', async () => {
    const label = 'app.kubernetes.io/part-of';
    // The parser refuses a label that is there twice.
    const objects = await render({
      values: {
        commonLabels: { [label]: 'platform', team: 'all' },
        'gateway.podLabels': { team: 'edge' },
        'redis.bundled.podLabels': { team: 'data' },
        'gateway.service.labels': { team: 'public' },
        'monitoring.podMonitor': { enabled: true, labels: { team: 'watch' } },
      },
    });
    const metadata = [...objects, ...podsOf(objects).map(({ pod }) => pod)].map((object) => object.metadata);
    expect(new Set(metadata.map(({ labels }) => labels?.[label]))).toEqual(new Set(['platform']));
    const teamOf = (owner: string): string | undefined =>
      podsOf(objects).find((one) => one.owner === owner)?.pod.metadata.labels?.['team'];
    expect({
      gateway: teamOf('Deployment zai2api-gateway'),
      translator: teamOf('Deployment zai2api-chat-translator'),
      redis: teamOf('StatefulSet zai2api-redis'),
      service: objectOf(objects, 'Service', 'zai2api-gateway').metadata.labels?.['team'],
      monitor: objectOf(objects, 'PodMonitor', 'zai2api').metadata.labels?.['team'],
    }).toEqual({ gateway: 'edge', translator: 'all', redis: 'data', service: 'public', monitor: 'watch' });
  });
});

describe('a release of some of the services', () => {
  it('has a test only where there is a gateway to ask', async () => {
    const kinds = async (values: Record<string, unknown>) => (await render({ values })).map(({ kind }) => kind);
    expect(await kinds({})).toContain('Pod');
    expect(await kinds({ 'gateway.enabled': false })).not.toContain('Pod');
  });

  it('leaves the address of a translator elsewhere to the variables of the user, which the chart would go before', async () => {
    const extraEnvFrom = [{ configMapRef: { name: 'elsewhere' } }];
    const objects = await render({ values: { 'chatTranslator.enabled': false, 'gateway.extraEnvFrom': extraEnvFrom } });
    const { pod } = podsOf(objects).find(({ owner }) => owner === 'Deployment zai2api-gateway')!;
    expect(containersOf(pod)[0]).toMatchObject({ envFrom: extraEnvFrom });
    expect(containersOf(pod)[0]?.env?.map(({ name }) => name)).not.toContain('ZAI_TRANSLATOR_URL');
  });
});
