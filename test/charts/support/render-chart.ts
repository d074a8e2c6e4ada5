import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './kubernetes-objects.ts';
import { runTool, type ToolRun } from './run-tool.ts';

/** The folder of the chart. */
export const chartFolder = fileURLToPath(new URL('../../../charts/zai2api', import.meta.url));

/** The oldest Kubernetes that the chart promises to work on, and the newest that there are schemas of. */
export const kubernetesVersions = ['1.30.0', '1.37.0'] as const;

/** The cases of the examples, each a folder with `values.yaml` and `rendered.yaml`. */
export const examples: readonly string[] = readdirSync(`${chartFolder}/examples`).sort();

/** What a cluster with all the optional definitions serves. */
const optionalApis = ['keda.sh/v1alpha1', 'monitoring.coreos.com/v1', 'gateway.networking.k8s.io/v1'];

export interface RenderOptions {
  /** Default: the folder of the chart. */
  readonly chart?: string;
  readonly release?: string;
  /** A case of the examples whose values are taken. */
  readonly example?: string;
  /** Values on top, as `--set-json` takes them: path -> value. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly kubernetesVersion?: string;
  /** Without them the cluster knows only what Kubernetes brings. */
  readonly hasOptionalApis?: boolean;
}

/** The arguments of helm that stand for the values. */
export function valueArguments({ example, values = {} }: Pick<RenderOptions, 'example' | 'values'>): string[] {
  const file = example === undefined ? [] : ['--values', `${chartFolder}/examples/${example}/values.yaml`];
  return [
    ...file,
    ...Object.entries(values).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]),
  ];
}

/** `helm template`, whatever comes of it. */
export async function tryRender(options: RenderOptions = {}): Promise<ToolRun> {
  const { chart = chartFolder, release = 'zai2api', kubernetesVersion = '1.37.0', hasOptionalApis = true } = options;
  const apis = hasOptionalApis ? optionalApis.flatMap((api) => ['--api-versions', api]) : [];
  return runTool('helm', [
    'template',
    release,
    chart,
    '--namespace=zai2api',
    `--kube-version=${kubernetesVersion}`,
    ...apis,
    ...valueArguments(options),
  ]);
}

/** The text that `helm template` gives. Throws with what helm says when it refuses. */
export async function renderText(options: RenderOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRender(options);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** The objects in a rendered text. Throws where it is no YAML, or has a key twice. */
export function parseObjects(text: string): KubernetesObject[] {
  return parseAllDocuments(text, { uniqueKeys: true }).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
}

/** The objects that `helm template` gives. */
export async function render(options: RenderOptions = {}): Promise<KubernetesObject[]> {
  return parseObjects(await renderText(options));
}
