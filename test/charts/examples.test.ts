import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { runTool, runToolOrThrow } from './support/run-tool.ts';

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

it('the packaged chart renders what its folder does, and leaves the examples out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zai2api-package-'));
  try {
    await runToolOrThrow('helm', ['package', chartFolder, `--destination=${folder}`]);
    const [archive = ''] = await readdir(folder);
    expect(archive).toMatch(/^zai2api-\d+\.\d+\.\d+\.tgz$/);
    const files = await runToolOrThrow('tar', ['--list', '--file', join(folder, archive)]);
    expect(files).toContain('zai2api/values.schema.json');
    expect(files).not.toContain('examples/');
    // The case that reads the chart's own files.
    const options = { example: 'high-availability' };
    expect(hideGenerated(await renderText({ ...options, chart: join(folder, archive) }))).toBe(
      hideGenerated(await renderText(options)),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
