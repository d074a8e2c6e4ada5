import type { Logger } from '@zai2api/runtime';
import type { RefillSchedule, TickResult } from './refill-schedule.ts';
import { lookAtPool } from './trace-refill.ts';

/** Demand comes in bursts: requests within this time after a tick share the next one. */
const DEFAULT_MIN_GAP_MS = 100;

/** A schedule for one process: a tick every `intervalMs`, and sooner on request. A tick that throws is logged and the schedule goes on. */
export function createIntervalSchedule(options: {
  intervalMs: number;
  logger: Logger;
  minGapMs?: number;
}): RefillSchedule {
  const { intervalMs, logger, minGapMs = DEFAULT_MIN_GAP_MS } = options;
  const controller = new AbortController();
  let tick: ((signal: AbortSignal) => Promise<TickResult>) | undefined;
  let running: Promise<void> | undefined;
  let isRequested = false;
  let lastEndMs = -Infinity;
  let planned: { readonly atMs: number; readonly timer: NodeJS.Timeout } | undefined;

  /** An earlier plan stays; a later one gives way. */
  function plan(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (controller.signal.aborted || (planned && planned.atMs <= atMs)) return;
    clearTimeout(planned?.timer);
    const timer = setTimeout(run, delayMs);
    timer.unref();
    planned = { atMs, timer };
  }

  function run(): void {
    clearTimeout(planned?.timer);
    planned = undefined;
    running ??= runTick();
  }

  function takeRequest(): boolean {
    const wasRequested = isRequested;
    isRequested = false;
    return wasRequested;
  }

  async function runTick(): Promise<void> {
    takeRequest();
    let nextInMs = intervalMs;
    try {
      const look = tick;
      const result = look && (await lookAtPool(() => look(controller.signal)));
      nextInMs = Math.min(intervalMs, result?.nextInMs ?? intervalMs);
    } catch (error) {
      if (!controller.signal.aborted) logger.error({ err: error }, 'a look at the pool failed');
    }
    running = undefined;
    lastEndMs = performance.now();
    plan(takeRequest() ? minGapMs : Math.max(minGapMs, nextInMs));
  }

  return {
    start(firstTick) {
      if (controller.signal.aborted || tick) return;
      tick = firstTick;
      run();
    },
    requestTick() {
      if (running) isRequested = true;
      else if (tick) plan(Math.max(0, lastEndMs + minGapMs - performance.now()));
    },
    async stop() {
      controller.abort();
      clearTimeout(planned?.timer);
      planned = undefined;
      await running;
    },
  };
}
