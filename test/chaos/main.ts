import { parseArgs } from 'node:util';
import { printChaosReport } from './chaos-report.ts';
import { runChaos } from './run-chaos.ts';

/** `npm run chaos -- [--minutes 5] [--translators 10] [--seed N]`; ends with 1 when an invariant is broken. */
const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    translators: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

// The exit handlers of what was started run only in an orderly exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const report = await runChaos({
  seconds: Number(flags.minutes) * 60,
  translators: Number(flags.translators),
  guests: 12,
  leaseSeconds: 6,
  seed: Number(flags.seed),
});
printChaosReport(report);
if (report.broken.length > 0) process.exitCode = 1;
