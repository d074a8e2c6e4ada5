import { readFileSync } from 'node:fs';
import type { Cluster } from './cluster.ts';
import { resources, startKubernetesApi } from './kubernetes-api.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** The real API server whose kubeconfig (as JSON) `CHART_KUBECONFIG` names, or one in memory. */
export async function openCluster(): Promise<Cluster> {
  const kubeconfig = process.env['CHART_KUBECONFIG'];
  return kubeconfig ? openRealCluster(kubeconfig) : startKubernetesApi();
}

/** A request to the real API server that a kubeconfig (as JSON) names. */
export async function askCluster(kubeconfig: string, path: string, init: RequestInit = {}): Promise<Response> {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  return fetch(`${clusters[0].cluster.server}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${users[0].user.token}`, 'content-type': 'application/json' },
  });
}

function openRealCluster(kubeconfig: string): Cluster {
  async function list(apiVersion: string, plural: string, kind: string): Promise<KubernetesObject[]> {
    const root = apiVersion === 'v1' ? '/api' : '/apis';
    const response = await askCluster(kubeconfig, `${root}/${apiVersion}/namespaces/zai2api/${plural}`);
    if (!response.ok) throw new Error(`The server does not list ${plural}: ${await response.text()}`);
    const { items } = (await response.json()) as { items: KubernetesObject[] };
    return items.map((item) => ({ ...item, apiVersion, kind }));
  }
  return {
    kubeconfig,
    async objects() {
      const kinds = Object.entries(resources).flatMap(([apiVersion, plurals]) =>
        Object.entries(plurals).map(([plural, kind]) => list(apiVersion, plural, kind)),
      );
      return (await Promise.all(kinds)).flat();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
