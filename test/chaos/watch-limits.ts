import type { ReceivedRequest } from '../fake-upstream/index.ts';
import type { Translator } from './translator-fleet.ts';

/** A turn that the upstream runs right now. Times are of `performance.now()`. */
interface RunningTurn {
  readonly translator: Translator | undefined;
  readonly fromMs: number;
  /** When it was last seen beside the turn that has its slot now; 0: never. */
  overAtMs: number;
}

/** What the upstream saw of the limits. */
export interface LimitWatch {
  /** For the fake upstream. */
  readonly onPlaceTaken: (request: ReceivedRequest) => () => void;
  /** Looks at all tokens; from time to time, as an excuse may end while nothing comes or goes. */
  look(): void;
  readonly figures: {
    turns: number;
    /** Most turns on one token at the same time, and most of them that nothing excuses. */
    highest: number;
    highestInForce: number;
    /** More turns in force on a token than its limit: each a fault of the product. */
    readonly faults: string[];
    /** Turns of processes that stood still past the deadline of their leases, while another one had the slot. */
    overlaps: number;
    /** How long the longest of these went on after its process could notice. */
    longestAfterWakingMs: number;
  };
}

/**
 * Holds the turns on each token to its limit. A turn of a process that stands still is not counted from the moment on at which its lease may
 * have passed its deadline until `graceMs` after the process woke: nobody can end it for a process that does not run, and the slot is
 * somebody else's meanwhile.
 */
export function watchLimits(options: {
  limit: number;
  /** The shortest time from the beginning of a freeze to the deadline of a lease. */
  shortestLeaseMs: number;
  graceMs: number;
  translatorOf: (request: ReceivedRequest) => Translator | undefined;
}): LimitWatch {
  const { limit, shortestLeaseMs, graceMs } = options;
  const running = new Map<string, Set<RunningTurn>>();
  const figures: LimitWatch['figures'] = {
    turns: 0,
    highest: 0,
    highestInForce: 0,
    faults: [],
    overlaps: 0,
    longestAfterWakingMs: 0,
  };

  /** The freeze that made the turn lose its lease, if it may have; one that came before it began counts while the process still wakes. */
  function freezeOf({ translator }: RunningTurn, nowMs: number): { readonly toMs: number } | undefined {
    return translator?.freezes.find(
      ({ fromMs, toMs }) => Math.min(toMs, nowMs) - fromMs >= shortestLeaseMs && nowMs < toMs + graceMs,
    );
  }

  function check(token: string, turns: ReadonlySet<RunningTurn>): void {
    const nowMs = performance.now();
    const excused = [...turns].filter((turn) => freezeOf(turn, nowMs));
    const inForce = turns.size - excused.length;
    figures.highest = Math.max(figures.highest, turns.size);
    figures.highestInForce = Math.max(figures.highestInForce, inForce);
    if (turns.size > limit) for (const turn of excused) turn.overAtMs = nowMs;
    if (inForce > limit) {
      const ages = [...turns].map(({ fromMs, translator }) => {
        const lastFreeze = translator?.freezes.at(-1);
        const frozen = lastFreeze
          ? `, frozen ${seconds(nowMs - lastFreeze.fromMs)} to ${seconds(nowMs - lastFreeze.toMs)} ago`
          : '';
        return `${seconds(nowMs - fromMs)}${frozen}`;
      });
      figures.faults.push(`${inForce} turns on ${token} (running for ${ages.join('; ')})`);
    }
  }

  return {
    figures,
    onPlaceTaken(request) {
      const token = request.tokenUserId ?? 'nobody';
      const turn = { translator: options.translatorOf(request), fromMs: performance.now(), overAtMs: 0 };
      const turns = running.get(token) ?? new Set<RunningTurn>();
      running.set(token, turns.add(turn));
      figures.turns++;
      check(token, turns);
      return () => {
        // While it still counts: whoever is over the limit is so until now.
        if (turns.has(turn)) check(token, turns);
        if (!turns.delete(turn) || turn.overAtMs === 0) return;
        figures.overlaps++;
        // Of a process that was killed while it stood still nothing goes on.
        const wokeAtMs = turn.translator?.freezes.at(-1)?.toMs ?? Infinity;
        const sinceMs = Math.max(wokeAtMs, turn.fromMs);
        figures.longestAfterWakingMs = Math.max(figures.longestAfterWakingMs, turn.overAtMs - sinceMs);
      };
    },
    look() {
      for (const [token, turns] of running) check(token, turns);
    },
  };
}

const seconds = (ms: number): string => (Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : '-');
