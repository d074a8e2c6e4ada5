import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import {
  chartFolder,
  examples,
  kubernetesVersions,
  parseObjects,
  renderText,
  valueArguments,
} from './support/render-chart.ts';
import { validateObjects } from './support/validate-objects.ts';
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
      const text = await renderText({ example, kubernetesVersion: version });
      const { valid, faults } = await validateObjects(text, version);
      expect(faults).toEqual([]);
      expect(valid).toBe(parseObjects(text).length);
    },
  );
});
