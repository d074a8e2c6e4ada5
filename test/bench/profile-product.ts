import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { planMeasurements, type Measurement, type Round } from './measurements.ts';
import { printProfile } from './print-profile.ts';
import { startScene, type Driver } from './scene.ts';

const SAMPLE_US = 250;
const ROUNDS = 6;

/** What is profiled, by the words that its title begins with, and the unit that its cost is given in. */
const subjects: readonly { readonly title: string; readonly unit: 'token' | 'answer' }[] = [
  { title: 'streams: 16 at once, upstream writes 32', unit: 'token' },
  { title: 'streams: 16 at once, upstream writes each', unit: 'token' },
  { title: 'small answers (16 tokens), streamed: 16', unit: 'answer' },
];

/** Profiles the built product under each load, in a process of its own, and prints where the time went; the profiles are kept. */
export async function profileProduct(options: {
  readonly driver: Driver;
  readonly directory: string;
  readonly fileName: (extension: string) => string;
}): Promise<void> {
  const measurements = planMeasurements(false);
  for (const [index, { title, unit }] of subjects.entries()) {
    const measurement = measurements.find((each) => each.title.startsWith(title));
    if (!measurement) throw new Error(`There is no measurement ${title}.`);
    const file = options.fileName(`-${index + 1}.cpuprofile`);
    const { fromUs, toUs, rounds } = await record(measurement, options, file);
    const count = rounds.reduce((sum, { tokens, answers }) => sum + (unit === 'token' ? tokens : answers), 0);
    console.log(`\n=== ${measurement.title}`);
    printProfile(file, { fromUs, toUs, unit, count });
    console.log(`\nProfile: ${file}`);
  }
}

async function record(
  measurement: Measurement,
  { driver, directory }: { readonly driver: Driver; readonly directory: string },
  file: string,
): Promise<{ fromUs: number; toUs: number; rounds: Round[] }> {
  const flags = ['--cpu-prof', `--cpu-prof-interval=${SAMPLE_US}`, `--cpu-prof-dir=${directory}`];
  const before = new Set(readdirSync(directory));
  const scene = await startScene(directory, { driver, nodeFlags: flags });
  // Until the code is compiled and the connections stand.
  await scene.round('product', measurement);
  const fromUs = nowUs();
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS) rounds.push(await scene.round('product', measurement));
  const toUs = nowUs();
  await scene.stop();
  const written = readdirSync(directory).find((name) => name.endsWith('.cpuprofile') && !before.has(name));
  if (written === undefined) throw new Error('The product wrote no profile.');
  copyFileSync(join(directory, written), file);
  return { fromUs, toUs, rounds };
}

/** The clock that V8 stamps its samples with: monotonic, and one for all processes of the machine. */
const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);
