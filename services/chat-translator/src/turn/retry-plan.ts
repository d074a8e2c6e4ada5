import type { Recovery } from '@zai2api/turn';

/** The tries of one turn: how many more, how soon, and until when. */
export interface RetryPlan {
  /** To be asked after each failure: milliseconds to wait before the next try, or undefined when there is to be none. */
  next(recovery: Recovery): number | undefined;
  /** A further upstream or model is to be tried, at once. False when there were enough tries, or the time is over. */
  turnElsewhere(): boolean;
  /** Milliseconds in which a further try may still begin; 0 when the time is over. */
  leftMs(): number;
}

const MAX_TRIES = 6;
/** How often each kind of recovery is tried within one turn. */
const maxTriesByRecovery: Record<Recovery, number> = {
  'other-credential': MAX_TRIES - 1,
  'refresh-session': 1,
  repeat: 1,
};
/** A passing fault gets a moment to pass. */
const REPEAT_WAIT_MS = 250;
/** The first other identity is tried at once; from the second on, the fault may be no identity's, so the waits double. */
const OTHER_CREDENTIAL_WAIT_MS = 100;

/**
 * A plan whose time runs from now on. Each wait is followed by up to as much again at random, so that turns that failed together do not come
 * back together. `now` counts milliseconds from anywhere, `random` gives numbers from 0 to 1.
 */
export function createRetryPlan(options: {
  readonly budgetMs: number;
  readonly now: () => number;
  readonly random: () => number;
}): RetryPlan {
  const { budgetMs, now, random } = options;
  const startedAtMs = now();
  let used = unused();
  let tries = 1;
  const leftMs = (): number => Math.max(0, startedAtMs + budgetMs - now());

  return {
    next(recovery) {
      if (tries >= MAX_TRIES || used[recovery] >= maxTriesByRecovery[recovery]) return undefined;
      const waitMs = Math.round(baseWaitMs(recovery, used[recovery]) * (1 + random()));
      if (leftMs() <= waitMs) return undefined;
      tries += 1;
      used[recovery] += 1;
      return waitMs;
    },
    turnElsewhere() {
      if (tries >= MAX_TRIES || leftMs() === 0) return false;
      tries += 1;
      // What was tried in vain there may work here.
      used = unused();
      return true;
    },
    leftMs,
  };
}

const unused = (): Record<Recovery, number> => ({ 'other-credential': 0, 'refresh-session': 0, repeat: 0 });

function baseWaitMs(recovery: Recovery, usedBefore: number): number {
  switch (recovery) {
    case 'repeat':
      return REPEAT_WAIT_MS;
    case 'other-credential':
      return usedBefore === 0 ? 0 : OTHER_CREDENTIAL_WAIT_MS * 2 ** (usedBefore - 1);
    case 'refresh-session':
      // Reading the session anew takes its own time.
      return 0;
  }
}
