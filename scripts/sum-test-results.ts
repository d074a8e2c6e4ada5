import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Adds up what the test runs of `.ci/run` left in a folder: `NAME.json` as Jest writes it with `--json`, `NAME.counts` with two numbers,
 * passed and failed. Prints "N passed, N failed", and ends with 1 when a test failed or nothing ran.
 */
interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const [folder = '.'] = process.argv.slice(2);

function readCounts(file: string): Counts | undefined {
  const text = readFileSync(join(folder, file), 'utf8');
  if (file.endsWith('.json')) {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(text) as Record<string, number>;
    return { passed: numPassedTests ?? 0, failed: (numFailedTests ?? 0) + (numRuntimeErrorTestSuites ?? 0) };
  }
  if (!file.endsWith('.counts')) return undefined;
  const [passed = 0, failed = 0] = text.trim().split(/\s+/).map(Number);
  return { passed, failed };
}

const all = readdirSync(folder).flatMap((file) => readCounts(file) ?? []);
const passed = all.reduce((sum, counts) => sum + counts.passed, 0);
const failed = all.reduce((sum, counts) => sum + counts.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
