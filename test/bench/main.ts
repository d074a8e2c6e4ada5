import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measure, type Comparison } from './compare.ts';
import { readMachineFacts } from './machine-facts.ts';
import { planMeasurements } from './measurements.ts';
import { measureLeases, printLeaseFigures } from './measure-leases.ts';
import { watchMemory } from './memory-watch.ts';
import { profileProduct } from './profile-product.ts';
import { printReport, type BenchReport } from './report.ts';
import { startScene } from './scene.ts';
import { percentile } from './statistics.ts';

/** `npm run bench -- [--driver web|platform] [--quick] [--profile] [--only TEXT] [--no-build]`; `--only leases` measures the leases on Redis alone. */
const { values: flags } = parseArgs({
  options: {
    driver: { type: 'string', default: 'web' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    'no-build': { type: 'boolean', default: false },
  },
});

if (flags.driver !== 'web' && flags.driver !== 'platform') throw new Error('--driver is web or platform.');
const { driver } = flags;
const MAX_RUN_MS = 300_000;
const LEASES = 'leases';
const root = fileURLToPath(new URL('../../', import.meta.url));
const results = fileURLToPath(new URL('results/', import.meta.url));

// The exit handlers of what was started run only in an orderly exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`The benchmark did not end within ${MAX_RUN_MS / 1000} s.`);
  process.exit(1);
}, MAX_RUN_MS).unref();

if (!flags['no-build']) execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
const directory = mkdtempSync(join(tmpdir(), 'zai2api-bench-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
mkdirSync(results, { recursive: true });
const machine = readMachineFacts();
const fileName = (extension: string): string => join(results, `${machine.atIso.replaceAll(/[:.]/g, '-')}${extension}`);

if (flags.profile) await profileProduct({ driver, directory, fileName });
else {
  if (!LEASES.includes(flags.only) || flags.only === '') await compareSides();
  if (LEASES.includes(flags.only)) await compareLeases();
}

/** Apart from the others: there is nothing bare to compare them with. */
async function compareLeases(): Promise<void> {
  const figures = await measureLeases({ turns: flags.quick ? 1_000 : 10_000 });
  console.log();
  printLeaseFigures(figures);
  const short = figures.map(({ leaseMs, releaseMs, ...rest }) => ({
    ...rest,
    leaseMs: { p50: percentile(leaseMs, 0.5), p99: percentile(leaseMs, 0.99) },
    releaseMs: { p50: percentile(releaseMs, 0.5), p99: percentile(releaseMs, 0.99) },
  }));
  writeFileSync(fileName('-leases.json'), `${JSON.stringify({ machine, leases: short }, undefined, 2)}\n`);
}

async function compareSides(): Promise<void> {
  const startedAtMs = performance.now();
  const scene = await startScene(directory, { driver });
  const watch = watchMemory(scene.sides.product.pid);
  const comparisons: Comparison[] = [];
  for (const measurement of planMeasurements(flags.quick)) {
    if (!measurement.title.includes(flags.only)) continue;
    console.log(measurement.title);
    comparisons.push(...(await measure(scene, measurement)));
  }
  const memory = await watch.finish();
  await scene.stop();
  const seconds = (performance.now() - startedAtMs) / 1000;
  const report: BenchReport = { machine, driver, quick: flags.quick, seconds, comparisons, memory };
  printReport(report);
  writeFileSync(fileName('.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`\nRaw figures: ${fileName('.json')}`);
}
