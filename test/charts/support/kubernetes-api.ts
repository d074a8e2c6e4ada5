import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Cluster } from './cluster.ts';
import { decodeSecret, protobufType } from './decode-secret.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';

/** The resources that the chart makes: group and version -> plural -> kind. */
export const resources: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: {
    secrets: 'Secret',
    services: 'Service',
    configmaps: 'ConfigMap',
    serviceaccounts: 'ServiceAccount',
    pods: 'Pod',
  },
  'apps/v1': { deployments: 'Deployment', statefulsets: 'StatefulSet' },
  'policy/v1': { poddisruptionbudgets: 'PodDisruptionBudget' },
  'autoscaling/v2': { horizontalpodautoscalers: 'HorizontalPodAutoscaler' },
  'networking.k8s.io/v1': { networkpolicies: 'NetworkPolicy', ingresses: 'Ingress' },
  'gateway.networking.k8s.io/v1': { httproutes: 'HTTPRoute' },
  'monitoring.coreos.com/v1': {
    servicemonitors: 'ServiceMonitor',
    podmonitors: 'PodMonitor',
    prometheusrules: 'PrometheusRule',
  },
  'keda.sh/v1alpha1': { scaledobjects: 'ScaledObject' },
};

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * As much of the Kubernetes API as Helm asks for an installation, in memory: discovery, and objects that are made, read, listed by label,
 * merged and removed. It judges nothing: that is what the schemas and, with `.ci/charts-on-kubernetes`, a real server are for.
 */
export async function startKubernetesApi(): Promise<Cluster> {
  const stored = new Map<string, KubernetesObject>();
  let lastVersion = 0;

  function put(path: string, object: KubernetesObject): KubernetesObject {
    lastVersion += 1;
    const whole = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(lastVersion), uid: `uid-${path}` },
    };
    stored.set(path, whole);
    return whole;
  }

  function list(collection: string, selector: string, apiVersion: string, kind: string): Answer {
    const wanted = selector.split(',').filter((term) => term !== '');
    const items = [...stored]
      .filter(([path]) => path.startsWith(`${collection}/`))
      .map(([, object]) => object)
      .filter(({ metadata }) => wanted.every((term) => matches(metadata.labels ?? {}, term)));
    return {
      status: 200,
      body: { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: String(lastVersion) }, items },
    };
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const found = discover(pathname);
    if (found !== undefined) return { status: 200, body: found };
    const [, apiVersion = '', collection = '', plural = '', name] =
      /^\/(?:api\/(?=v1\/)|apis\/)(.+?)(?=\/namespaces\/)(\/namespaces\/[^/]+\/([a-z]+))(?:\/([^/]+))?$/.exec(
        pathname,
      ) ?? [];
    const kind = resources[apiVersion]?.[plural];
    if (kind === undefined) return notFound(pathname);
    const folder = `${apiVersion}${collection}`;
    const path = `${folder}/${name ?? ''}`;
    if (name === undefined) {
      if (request.method === 'GET') return list(folder, searchParams.get('labelSelector') ?? '', apiVersion, kind);
      const made = await readObject(request);
      const newPath = `${folder}/${made.metadata.name}`;
      if (stored.has(newPath)) return { status: 409, body: status(409, 'AlreadyExists', `${newPath} exists`) };
      return { status: 201, body: put(newPath, made) };
    }
    const present = stored.get(path);
    if (present === undefined) return notFound(path);
    if (request.method === 'GET') return { status: 200, body: present };
    if (request.method === 'DELETE') {
      stored.delete(path);
      return { status: 200, body: present };
    }
    const change = await readObject(request);
    return {
      status: 200,
      body: put(path, request.method === 'PUT' ? change : (merge(present, change) as KubernetesObject)),
    };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status: code, body } = await answer(request);
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'zai2api-kubernetes-'));
  const kubeconfig = join(folder, 'config');
  const { port } = server.address() as AddressInfo;
  await writeFile(kubeconfig, kubeconfigFor(`http://127.0.0.1:${port}`));

  return {
    kubeconfig,
    objects: () =>
      Promise.resolve([...stored.values()].filter(({ metadata }) => metadata.labels?.['owner'] !== 'helm')),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
}

async function readObject(request: IncomingMessage): Promise<KubernetesObject> {
  const body = await buffer(request);
  if (request.headers['content-type'] === protobufType) return decodeSecret(body);
  return JSON.parse(body.toString()) as KubernetesObject;
}

/** The file that Helm and kubectl read. */
function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    users: [{ name: 'test', user: {} }],
    'current-context': 'test',
  });
}

function discover(path: string): unknown {
  if (path === '/version') return { major: '1', minor: '37', gitVersion: 'v1.37.0' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  const versions = Object.keys(resources).filter((version) => version !== 'v1');
  if (path === '/apis') {
    const groups = versions.map((groupVersion) => {
      const [name = '', version = ''] = groupVersion.split('/');
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    });
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  const groupVersion = path.replace(/^\/apis?\//, '');
  const here = resources[groupVersion];
  if (here === undefined) return undefined;
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: Object.entries(here).map(([name, kind]) => ({ name, kind, namespaced: true, singularName: '', verbs })),
  };
}

function matches(labels: Readonly<Record<string, string>>, term: string): boolean {
  const [key = '', value] = term.split('=');
  return labels[key] === value;
}

/** A JSON merge patch; the server's own rules for lists are not needed for what Helm changes here. */
function merge(present: unknown, change: unknown): unknown {
  if (!isObject(change) || !isObject(present)) return change;
  const merged: Record<string, unknown> = { ...present };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notFound(path: string): Answer {
  return { status: 404, body: status(404, 'NotFound', `${path} not found`) };
}

function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}
