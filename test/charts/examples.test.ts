import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { chartFolder, examples, kubernetesVersions, renderText, valueArguments } from './support/render-chart.ts';
import { runTool } from './support/run-tool.ts';

/** Random at each rendering without a cluster: they stand in a Secret of their own, whose values are not compared. */
function hideGenerated(text: string): string {
  return text.replace(
    /(name: \S+-generated\n[^]*?\ndata:\n)((?: {2}\S.*\n)+)/,
    (_match, head: string, data: string) => {
      return head + data.replace(/: .*/g, ': (generated)');
    },
  );
}

const schemas = process.env['CHART_SCHEMAS'];

describe.each(examples)('the example %s', (example) => {
  it('renders to what is committed', async () => {
    const rendered = hideGenerated(await renderText({ example }));
    const golden = `${chartFolder}/examples/${example}/rendered.yaml`;
    if (process.env['GOLDEN_UPDATE']) await writeFile(golden, rendered);
    expect(rendered).toBe(await readFile(golden, 'utf8'));
  });

  it('is good in the eyes of helm lint', async () => {
    const lint = await runTool('helm', [
      'lint',
      '--strict',
      '--kube-version=1.37.0',
      chartFolder,
      ...valueArguments({ example }),
    ]);
    expect({ ...lint, stdout: lint.code === 0 ? '' : lint.stdout }).toMatchObject({ code: 0, stdout: '' });
  });

  it.each(kubernetesVersions)(
    'is valid for Kubernetes %s and the optional definitions, nothing unknown in it',
    async (version) => {
      if (schemas === undefined)
        throw new Error('CHART_SCHEMAS is not set: .ci/charts fetches the schemas and runs these tests.');
      const { code, stdout } = await runTool(
        'kubeconform',
        [
          '-strict',
          '-output=json',
          '-summary',
          `-kubernetes-version=${version}`,
          `-schema-location=${schemas}/kubernetes/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json`,
          `-schema-location=${schemas}/definitions/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`,
          '-',
        ],
        { input: await renderText({ example, kubernetesVersion: version }) },
      );
      const { resources, summary } = JSON.parse(stdout) as { resources: unknown[] | null; summary: { valid: number } };
      expect({ code, resources: resources ?? [], ...summary }).toMatchObject({
        code: 0,
        resources: [],
        invalid: 0,
        errors: 0,
        skipped: 0,
      });
      expect(summary.valid).toBeGreaterThan(5);
    },
  );
});
