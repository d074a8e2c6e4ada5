import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory in bytes; NaN where the system has no /proc. */
export function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes) * 1024;
}

/** CPU time of all threads that live, in milliseconds; NaN where the system has no /proc. */
export function cpuMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) => parseInt(read(`/proc/${pid}/task/${thread}/schedstat`), 10));
    return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6;
  } catch {
    return Number.NaN;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
