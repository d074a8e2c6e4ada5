import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** What a figure means nothing without. */
export interface MachineFacts {
  readonly atIso: string;
  readonly commit: string;
  readonly node: string;
  readonly system: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of the last minute before the run: anything near the number of CPUs spoils the figures. */
  readonly loadBefore: number;
}

/** The machine and the code as they are now. */
export function readMachineFacts(): MachineFacts {
  return {
    atIso: new Date().toISOString(),
    commit: readCommit(),
    node: process.version,
    system: `${type()} ${release()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

function readCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
