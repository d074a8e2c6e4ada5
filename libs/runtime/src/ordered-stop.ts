import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from './create-logger.ts';

/** The phases of a stop, in their order: no new work, finish the work, let go of what it used, send the last telemetry. */
export const stopPhases = ['servers', 'workers', 'stores', 'telemetry'] as const;
/** A phase of the stop: see `stopPhases`. */
export type StopPhase = (typeof stopPhases)[number];

interface StopStep {
  readonly phase: StopPhase;
  readonly name: string;
  readonly stop: (deadline: AbortSignal) => Promise<void>;
}

/** How long a step may take to come to its end once the deadline has passed; then the stop goes on without it. */
const GRACE_AFTER_DEADLINE_MS = 250;

/** Collects what must be stopped and stops it in phases, the steps of one phase in parallel. */
export interface OrderedStop {
  add(phase: StopPhase, name: string, stop: (deadline: AbortSignal) => Promise<void>): void;
  /** Never rejects: failing and late steps are logged. */
  run(deadline: AbortSignal): Promise<void>;
}

/** A stop in phases, each of which gets its share of the deadline. One for each process. */
export function createOrderedStop(logger: Logger): OrderedStop {
  const steps: StopStep[] = [];
  const begunPhases = new Map<StopPhase, AbortSignal>();

  async function runStep({ phase, name, stop }: StopStep, deadline: AbortSignal): Promise<void> {
    const done = new AbortController();
    const stopped = stop(deadline).then(
      () => true,
      (error: unknown) => {
        logger.error({ err: error, phase, step: name }, 'a step of the stop failed');
        return true;
      },
    );
    if (!(await Promise.race([stopped, afterDeadline(deadline, done.signal)]))) {
      logger.warn({ phase, step: name }, 'a step of the stop was left behind at the deadline');
    }
    done.abort();
  }

  return {
    add(phase, name, stop) {
      const step = { phase, name, stop };
      const begun = begunPhases.get(phase);
      if (begun === undefined) steps.push(step);
      // Opened by a start that went on while the stop was under way: nobody else would close it.
      else void runStep(step, begun);
    },
    async run(deadline) {
      for (const phase of stopPhases) {
        begunPhases.set(phase, deadline);
        await Promise.all(steps.filter((step) => step.phase === phase).map((step) => runStep(step, deadline)));
      }
    },
  };
}

/** Resolves to false a moment after the deadline, or when nobody waits any more. */
async function afterDeadline(deadline: AbortSignal, done: AbortSignal): Promise<false> {
  await new Promise<void>((resolve) => {
    if (deadline.aborted) resolve();
    deadline.addEventListener('abort', () => resolve(), { once: true, signal: done });
    done.addEventListener('abort', () => resolve(), { once: true });
  });
  if (!done.aborted) await wait(GRACE_AFTER_DEADLINE_MS, undefined, { signal: done }).catch(() => undefined);
  return false;
}
