import { TurnError, type TurnEvent } from '@zai2api/turn';
import { LRUCache } from 'lru-cache';
import { mergeDeltas } from './merge-deltas.ts';
import { createSharedRun, type SharedRun, type StartedAnswer } from './shared-run.ts';

/** `hit`: it was kept; `shared`: somebody else is being given it just now; `miss`: it was asked for. */
export const sharedOutcomes = ['hit', 'shared', 'miss'] as const;
/** Where an answer came from: kept, shared with another asker, or asked for. */
export type SharedOutcome = (typeof sharedOutcomes)[number];

/** One asker's part of an answer. */
export type JoinedAnswer = Omit<StartedAnswer, 'release'> & { readonly outcome: SharedOutcome };

/** Answers to the same question: asked for once, given to all who ask meanwhile, and kept for those who ask later. */
export interface SharedAnswers {
  /**
   * The answer of that name; `start` is called when there is none. Its signal aborts when the last of those who wait for it has left. Rejects
   * with what `start` rejects with, or when the asker's signal aborts.
   */
  join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<StartedAnswer>): Promise<JoinedAnswer>;
}

/** How long and how many answers are kept. Milliseconds. */
export interface SharedAnswersOptions {
  /** How long an answer is kept. */
  readonly ttlMs: number;
  readonly maxAnswers: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly onJoin: (outcome: SharedOutcome) => void;
}

/** All answers together, in characters of their texts. */
const MAX_CHARACTERS = 32 * 1024 * 1024;

type KeptAnswer = Pick<StartedAnswer, 'upstream' | 'warnings'> & { readonly events: readonly TurnEvent[] };

/** A cache of whole answers, with one run for identical questions that are asked at the same time. Errors and calls of tools are never kept. */
export function createSharedAnswers({ ttlMs, maxAnswers, now, newId, onJoin }: SharedAnswersOptions): SharedAnswers {
  const kept = new LRUCache<string, KeptAnswer>({
    max: maxAnswers,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ events }) => events.reduce((sum, event) => sum + sizeOf(event), 1),
    ttl: ttlMs,
  });
  const runs = new Map<string, SharedRun>();

  function begin(key: string, start: (signal: AbortSignal) => Promise<StartedAnswer>): SharedRun {
    const run = createSharedRun(start, {
      onEnd(answer, batches) {
        if (runs.get(key) === run) runs.delete(key);
        const events = mergeDeltas(batches.flat());
        const last = events.at(-1);
        const isWhole = last?.type === 'turn-end' && (last.reason === 'stop' || last.reason === 'length');
        if (answer && isWhole) kept.set(key, { upstream: answer.upstream, warnings: answer.warnings, events });
      },
      onDeserted() {
        if (runs.get(key) === run) runs.delete(key);
      },
    });
    runs.set(key, run);
    return run;
  }

  /** Each answer is one of its own to its client. */
  const renew = (event: TurnEvent): TurnEvent =>
    event.type === 'turn-start' ? { ...event, id: newId(), createdAt: now() } : event;

  async function* replay({ events }: KeptAnswer): AsyncGenerator<TurnEvent[]> {
    yield await Promise.resolve(events.map(renew));
  }

  async function* renewed(batches: AsyncIterable<TurnEvent[]>): AsyncGenerator<TurnEvent[]> {
    for await (const batch of batches) yield batch.map(renew);
  }

  return {
    async join(key, signal, start) {
      if (signal.aborted) throw TurnError.from(signal.reason);
      const known = kept.get(key);
      if (known) {
        onJoin('hit');
        return { ...known, outcome: 'hit', batches: replay(known) };
      }
      const running = runs.get(key);
      const outcome = running ? 'shared' : 'miss';
      onJoin(outcome);
      const joined = await (running ?? begin(key, start)).join(signal);
      return { ...joined, outcome, batches: running ? renewed(joined.batches) : joined.batches };
    },
  };
}

function sizeOf(event: TurnEvent): number {
  if ('text' in event) return event.text.length;
  return event.type === 'source' ? event.url.length + event.title.length : 50;
}
