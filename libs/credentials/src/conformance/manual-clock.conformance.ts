import type { StartTimer } from '../start-timer.ts';

/** A clock for stores: time and timers move by `advance` only. */
export interface ManualClock {
  now(): number;
  readonly startTimer: StartTimer;
  advance(milliseconds: number): Promise<void>;
  readonly pendingTimers: number;
}

/** A clock that starts at a fixed moment and runs due timers in order. */
export function createManualClock(): ManualClock {
  let nowMs = 1_760_000_000_000;
  const timers = new Set<{ atMs: number; run: () => void }>();
  return {
    now: () => nowMs,
    startTimer(delayMs, run) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(milliseconds) {
      const endMs = nowMs + milliseconds;
      for (;;) {
        const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).sort((one, other) => one.atMs - other.atMs);
        if (!next) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
        await Promise.resolve();
      }
      nowMs = endMs;
      await Promise.resolve();
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}
