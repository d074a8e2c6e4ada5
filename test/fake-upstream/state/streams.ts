/** One completion that has come in. Both functions are idempotent. */
export interface StreamPlace {
  /** From now on it counts as a running answer. */
  readonly admit: () => void;
  readonly leave: () => void;
}

/** Counts completions per identity: those that came in (for the peaks) and those being answered (for the limits). */
export interface Streams {
  readonly arrive: (userId: string) => StreamPlace;
  readonly running: (userId: string) => number;
  readonly total: () => number;
  readonly highest: (userId: string) => number;
  readonly clearPeaks: () => void;
}

export function createStreams(): Streams {
  const present = new Map<string, number>();
  const running = new Map<string, number>();
  const peaks = new Map<string, number>();
  let total = 0;

  const add = (counts: Map<string, number>, userId: string, change: 1 | -1): number => {
    const count = (counts.get(userId) ?? 0) + change;
    if (count === 0) counts.delete(userId);
    else counts.set(userId, count);
    return count;
  };

  return {
    arrive(userId) {
      let state: 'present' | 'running' | 'gone' = 'present';
      peaks.set(userId, Math.max(peaks.get(userId) ?? 0, add(present, userId, 1)));
      return {
        admit() {
          if (state !== 'present') return;
          state = 'running';
          add(running, userId, 1);
          total += 1;
        },
        leave() {
          if (state === 'gone') return;
          if (state === 'running') {
            add(running, userId, -1);
            total -= 1;
          }
          state = 'gone';
          add(present, userId, -1);
        },
      };
    },
    running: (userId) => running.get(userId) ?? 0,
    total: () => total,
    highest: (userId) => peaks.get(userId) ?? 0,
    clearPeaks: () => peaks.clear(),
  };
}
