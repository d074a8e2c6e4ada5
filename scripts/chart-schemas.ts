/**
 * Fetches what kubeconform checks the chart against into a folder: `node scripts/chart-schemas.ts <folder>`.
 *
 * Kubernetes: the JSON schemas of its own OpenAPI, as the Python package `kubernetes-validate` carries them. KEDA, the Prometheus operator and
 * the Gateway API: made from the custom resource definitions in their Go modules, which are kept in `originals`. What is there already is not
 * fetched again.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

const run = promisify(execFile);

const KUBERNETES_PACKAGE = 'kubernetes-validate==1.37.0';
/** The oldest version that the chart promises to work on, and the newest one. */
const kubernetesVersions = ['1.30.0', '1.37.0'];

const definitions = [
  { module: 'github.com/kedacore/keda/v2@v2.21.0', folder: 'config/crd/bases', kinds: ['ScaledObject'] },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
    kinds: ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'],
  },
  { module: 'sigs.k8s.io/gateway-api@v1.6.3', folder: 'config/crd/standard', kinds: ['HTTPRoute'] },
] as const;

/** Its schema is in the form of Kubernetes objects, so that kubeconform reads it, too. */
const skaffold = {
  module: 'github.com/GoogleContainerTools/skaffold/v2@v2.16.1',
  path: 'docs-v2/content/en/schemas',
  version: 'v4beta13',
};

type Schema = Record<string, unknown>;

interface CustomResourceDefinition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

async function fetchKubernetes(folder: string): Promise<void> {
  await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, KUBERNETES_PACKAGE]);
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip brought no wheel of ${KUBERNETES_PACKAGE}.`);
  // A thousand files of the thirteen thousand, so that it does not take a minute.
  const extract = `
import sys, zipfile
wheel, folder, *versions = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    wanted = tuple(f'kubernetes_validate/kubernetes-json-schema/v{version}-local-strict/' for version in versions)
    for name in archive.namelist():
        if name.startswith(wanted):
            archive.extract(name, folder)
`;
  await run('python3', ['-c', extract, join(folder, wheel), folder, ...kubernetesVersions]);
  for (const version of kubernetesVersions) {
    const from = join(folder, `kubernetes_validate/kubernetes-json-schema/v${version}-local-strict`);
    const to = join(folder, 'kubernetes', `v${version}`);
    await mkdir(to, { recursive: true });
    const { $defs: all } = JSON.parse(await readFile(join(from, '_definitions.json'), 'utf8')) as { $defs: Schema };
    for (const name of await readdir(from)) {
      const schema = JSON.parse(await readFile(join(from, name), 'utf8')) as Schema;
      if ('x-kubernetes-group-version-kind' in schema) await writeFile(join(to, name), standAlone(schema, all));
    }
  }
  await rm(join(folder, 'kubernetes_validate'), { recursive: true });
  await rm(join(folder, wheel));
}

/** The schema with those of the shared definitions that it leads to: kubeconform does not follow references into other files. */
function standAlone({ $id: _, ...schema }: Schema, all: Schema): string {
  const $defs: Schema = {};
  const inline = (text: string): unknown =>
    JSON.parse(
      text.replace(/"(?:\/api\/_definitions\.json)?#\/\$defs\/([^"]+)"/g, (_match, name: string) => {
        if (!(name in $defs)) {
          $defs[name] = true;
          $defs[name] = inline(JSON.stringify(all[name]));
        }
        return JSON.stringify(`#/$defs/${name}`);
      }),
    );
  const inlined = inline(JSON.stringify(schema)) as Schema;
  return JSON.stringify({ ...inlined, $defs });
}

/** The folder of a Go module, which is fetched. */
async function moduleFolder(module: string): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', module]);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

async function fetchSkaffold(folder: string): Promise<void> {
  const { module, path, version } = skaffold;
  const text = await readFile(join(await moduleFolder(module), path, `${version}.json`), 'utf8');
  const { $schema: _, ...schema } = JSON.parse(text) as Schema;
  const target = join(folder, 'definitions', 'skaffold');
  await mkdir(target, { recursive: true });
  await writeFile(join(target, `config_${version}.json`), JSON.stringify(schema));
}

async function fetchDefinitions(folder: string): Promise<void> {
  await mkdir(join(folder, 'originals'));
  for (const { module, folder: inModule, kinds } of definitions) {
    const directory = await moduleFolder(module);
    const found = new Set<string>();
    for (const name of await readdir(join(directory, inModule))) {
      if (!name.endsWith('.yaml')) continue;
      const documents = parseAllDocuments(await readFile(join(directory, inModule, name), 'utf8'));
      for (const document of documents) {
        const definition = document.toJS() as CustomResourceDefinition | null;
        if (definition?.kind !== 'CustomResourceDefinition') continue;
        const { group, names, versions } = definition.spec;
        if (!(kinds as readonly string[]).includes(names.kind)) continue;
        found.add(names.kind);
        await writeFile(join(folder, 'originals', name), String(document));
        for (const version of versions) {
          const path = join(folder, 'definitions', group, `${names.kind.toLowerCase()}_${version.name}.json`);
          await mkdir(join(path, '..'), { recursive: true });
          await writeFile(path, JSON.stringify(close(version.schema.openAPIV3Schema)));
        }
      }
    }
    const missing = kinds.filter((kind) => !found.has(kind));
    if (missing.length > 0) throw new Error(`${module} does not define ${missing.join(', ')}.`);
  }
}

/** The JSON schema of an OpenAPI schema of Kubernetes, refusing what it does not name, as `kubectl --validate=strict` does. */
function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close);
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, close(value)]));
  if (closed['x-kubernetes-int-or-string'] === true) return { anyOf: [{ type: 'integer' }, { type: 'string' }] };
  const isOpen = 'additionalProperties' in closed || closed['x-kubernetes-preserve-unknown-fields'] === true;
  if (closed['type'] === 'object' && 'properties' in closed && !isOpen) closed['additionalProperties'] = false;
  return closed;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('Say into which folder.');
if (!(await exists(target))) {
  await mkdir(join(target, '..'), { recursive: true });
  // Complete or not there at all.
  const work = await mkdtemp(`${target}-`);
  try {
    await Promise.all([fetchKubernetes(work), fetchDefinitions(work), fetchSkaffold(work)]);
    await rename(work, target);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}
