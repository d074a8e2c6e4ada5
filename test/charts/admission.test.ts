import { expect, it } from '@jest/globals';
import { podsOf } from './support/kubernetes-objects.ts';
import { askCluster } from './support/open-cluster.ts';
import { examples, render } from './support/render-chart.ts';

const kubeconfig = process.env['CHART_KUBECONFIG'] ?? '';

/** Needs a real API server, whose namespace `zai2api` enforces the restricted pod security standard: `.ci/charts-on-kubernetes`. */
it.each(examples)('a namespace of the restricted standard admits the pods of the example %s', async (example) => {
  for (const { owner, pod } of podsOf(await render({ example }))) {
    const response = await askCluster(kubeconfig, '/api/v1/namespaces/zai2api/pods?dryRun=All&fieldValidation=Strict', {
      method: 'POST',
      body: JSON.stringify({
        ...pod,
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { labels: pod.metadata.labels, name: 'admission' },
        // The cluster has no volumes and classes to claim.
        spec: { ...pod.spec, priorityClassName: undefined },
      }),
    });
    expect({ owner, body: response.status === 201 ? '' : await response.text() }).toEqual({ owner, body: '' });
  }
});

it('the same namespace refuses a pod that is not restricted', async () => {
  const response = await askCluster(kubeconfig, '/api/v1/namespaces/zai2api/pods?dryRun=All', {
    method: 'POST',
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'admission' },
      spec: { containers: [{ name: 'one', image: 'one' }] },
    }),
  });
  expect(response.status).toBe(403);
  expect(await response.text()).toContain('violates PodSecurity');
});
