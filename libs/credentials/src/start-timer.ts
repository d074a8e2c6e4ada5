/** Runs a function once after `delayMs` and returns the way to cancel it. */
export type StartTimer = (delayMs: number, run: () => void) => () => void;

/** What a Node timer can hold; a later moment is reached in several steps. */
const MAX_DELAY_MS = 2_147_483_647;

/** A timer that does not keep the process alive. May fire early for a delay above 24 days, so look at the clock when it does. */
export const startUnrefTimer: StartTimer = (delayMs, run) => {
  const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
  timer.unref();
  return () => clearTimeout(timer);
};
