import { setTimeout as wait } from 'node:timers/promises';
import { residentBytes } from './process-usage.ts';

/** Resident memory of one process over a run, in bytes. */
export interface MemoryFigures {
  /** After the start, before the first request. */
  readonly idle: number;
  /** The highest that was seen. */
  readonly highest: number;
  /** A few seconds after the last request. */
  readonly after: number;
}

const SAMPLE_MS = 200;
const SETTLE_MS = 3_000;

/** Starts to look at a process that has not been used yet. `finish` waits for it to settle after the last request. */
export function watchMemory(pid: number): { finish(): Promise<MemoryFigures> } {
  const idle = residentBytes(pid);
  let highest = idle;
  const look = (): void => {
    highest = Math.max(highest, residentBytes(pid));
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    async finish() {
      look();
      clearInterval(timer);
      await wait(SETTLE_MS);
      return { idle, highest, after: residentBytes(pid) };
    },
  };
}
