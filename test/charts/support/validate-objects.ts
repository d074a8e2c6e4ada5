import { runTool } from './run-tool.ts';

/** What kubeconform says of objects: how many are valid, and the faults of the others. */
export interface Validation {
  readonly valid: number;
  readonly faults: readonly string[];
}

/** Checks objects strictly against the schemas of one version of Kubernetes, of the optional definitions and of skaffold. */
export async function validateObjects(text: string, kubernetesVersion: string): Promise<Validation> {
  const schemas = process.env['CHART_SCHEMAS'];
  if (!schemas) throw new Error('CHART_SCHEMAS is not set: .ci/charts fetches the schemas and runs these tests.');
  const { stdout, stderr } = await runTool(
    'kubeconform',
    [
      '-strict',
      '-output=json',
      '-summary',
      `-kubernetes-version=${kubernetesVersion}`,
      `-schema-location=${schemas}/kubernetes/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json`,
      `-schema-location=${schemas}/definitions/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`,
      '-',
    ],
    { input: text },
  );
  if (stdout === '') throw new Error(stderr);
  const { resources, summary } = JSON.parse(stdout) as {
    readonly resources?: readonly { readonly kind: string; readonly name: string; readonly msg: string }[];
    readonly summary: { readonly valid: number; readonly skipped: number };
  };
  const skipped = summary.skipped === 0 ? [] : [`${summary.skipped} were skipped`];
  return {
    valid: summary.valid,
    faults: [...(resources ?? []).map(({ kind, name, msg }) => `${kind} ${name}: ${msg}`), ...skipped],
  };
}
