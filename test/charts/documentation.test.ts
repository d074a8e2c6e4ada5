import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { chartFolder, examples } from './support/render-chart.ts';
import { runToolOrThrow } from './support/run-tool.ts';

it('README.md is what helm-docs makes of the comments (npm run charts:docs)', async () => {
  const made = await runToolOrThrow('helm-docs', [
    `--chart-search-root=${chartFolder}`,
    '--sort-values-order=file',
    '--dry-run',
    '--log-level=error',
  ]);
  const file = `${chartFolder}/README.md`;
  const formatted = await format(made, { ...(await resolveConfig(file)), parser: 'markdown' });
  expect(formatted).toBe(await readFile(file, 'utf8'));
});

it('README.md leads to every example', async () => {
  const readme = await readFile(`${chartFolder}/README.md`, 'utf8');
  const linked = Array.from(readme.matchAll(/\(examples\/([^/]+)\/values\.yaml\)/g), ([, name]) => name);
  expect(linked.concat('first-try').sort()).toEqual(examples);
});

it('the table of stops in README.md is that of the default', async () => {
  const readme = await readFile(`${chartFolder}/README.md`, 'utf8');
  const rendered = await readFile(`${chartFolder}/examples/first-try/rendered.yaml`, 'utf8');
  const gateway = rendered.slice(rendered.indexOf('kind: Deployment\nmetadata:\n  name: zai2api-gateway'));
  const seconds = (name: string): string | undefined => new RegExp(`\\| \`${name}\` +\\| (\\d+) `).exec(readme)?.[1];
  const value = (pattern: RegExp): string | undefined => pattern.exec(gateway)?.[1];
  expect({
    preStop: seconds('preStop'),
    drainDelay: seconds('ZAI_SHUTDOWN_DRAIN_DELAY'),
    timeout: seconds('ZAI_SHUTDOWN_TIMEOUT'),
    grace: seconds('terminationGracePeriodSeconds'),
  }).toEqual({
    preStop: value(/sleep: \{ seconds: (\d+) \}/),
    drainDelay: value(/ZAI_SHUTDOWN_DRAIN_DELAY\n\s+value: "(\d+)"/),
    timeout: value(/ZAI_SHUTDOWN_TIMEOUT\n\s+value: "(\d+)"/),
    grace: value(/terminationGracePeriodSeconds: (\d+)/),
  });
});
