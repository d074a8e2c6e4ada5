import { TurnError, type TurnEvent, type TurnWarning } from '@zai2api/turn';
import { LRUCache } from 'lru-cache';
import { uniqueWarnings } from '../turn/unique-warnings.ts';
import type { AnswerKeys } from './answer-key.ts';
import { mergeDeltas } from './merge-deltas.ts';
import { createSharedRun, type SharedRun, type StartedAnswer } from './shared-run.ts';

/** `hit`: it was kept; `shared`: somebody else is being given it just now; `miss`: it was asked for. */
export const sharedOutcomes = ['hit', 'shared', 'miss'] as const;
/** Where an answer came from: kept, shared with another asker, or asked for. */
export type SharedOutcome = (typeof sharedOutcomes)[number];

/** Who asks for an answer. */
export interface Asker {
  /** Aborts when the asker leaves. */
  readonly signal: AbortSignal;
  /** What this asker alone asked for in vain. */
  readonly warnings: readonly TurnWarning[];
}

/** One asker's part of an answer. */
export type JoinedAnswer = Pick<StartedAnswer, 'upstream' | 'warnings' | 'batches'> & {
  readonly outcome: SharedOutcome;
};

/** Answers to the same question: asked for once, given to all who ask meanwhile, and kept for those who ask later. */
export interface SharedAnswers {
  /**
   * The answer of that name, with the asker's own warnings; `start` is called when there is none. Its signal aborts when the last of those who
   * wait for it has left. Rejects with what `start` rejects with, or when the asker's signal aborts.
   */
  join(keys: AnswerKeys, asker: Asker, start: (signal: AbortSignal) => Promise<StartedAnswer>): Promise<JoinedAnswer>;
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

/**
 * A cache of whole answers, with one run for identical questions that are asked at the same time. Kept is what the first choice
 * answered: no errors, no calls of tools, and nothing of a place that stood in for a busy one.
 */
export function createSharedAnswers({ ttlMs, maxAnswers, now, newId, onJoin }: SharedAnswersOptions): SharedAnswers {
  const kept = new LRUCache<string, KeptAnswer>({
    max: maxAnswers,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ events }) => events.reduce((sum, event) => sum + sizeOf(event), 1),
    ttl: ttlMs,
  });
  const runs = new Map<string, SharedRun>();

  function begin(keys: AnswerKeys, start: (signal: AbortSignal) => Promise<StartedAnswer>): SharedRun {
    const forget = (): void => {
      if (runs.get(keys.run) === run) runs.delete(keys.run);
    };
    const run = createSharedRun(start, {
      onEnd(answer, batches) {
        forget();
        if (!answer || answer.isFallback) return;
        const events = mergeDeltas(batches.flat());
        const last = events.at(-1);
        const isWhole = last?.type === 'turn-end' && (last.reason === 'stop' || last.reason === 'length');
        if (isWhole) kept.set(keys.answer, { upstream: answer.upstream, warnings: answer.warnings, events });
      },
      onDeserted: forget,
    });
    runs.set(keys.run, run);
    return run;
  }

  return {
    async join(keys, { signal, warnings: asked }, start) {
      if (signal.aborted) throw TurnError.from(signal.reason);
      const known = kept.get(keys.answer);
      const running = known ? undefined : runs.get(keys.run);
      const outcome = known ? 'hit' : running ? 'shared' : 'miss';
      onJoin(outcome);
      const { upstream, ...joined } = known
        ? { ...known, batches: replay(known) }
        : await (running ?? begin(keys, start)).join(signal);
      const warnings = uniqueWarnings([...asked, ...joined.warnings]);
      const own = outcome === 'miss' ? { warnings } : { warnings, id: newId(), createdAt: now() };
      return { upstream, warnings, outcome, batches: ownBatches(joined.batches, own) };
    },
  };
}

/** An answer as its client's own: all that is of one asker stands in its first event. */
async function* ownBatches(
  batches: AsyncIterable<TurnEvent[]>,
  own: Partial<Extract<TurnEvent, { type: 'turn-start' }>>,
): AsyncGenerator<TurnEvent[]> {
  let isBegun = false;
  for await (const batch of batches) {
    yield isBegun ? batch : batch.map((event) => (event.type === 'turn-start' ? { ...event, ...own } : event));
    isBegun ||= batch.length > 0;
  }
}

async function* replay({ events }: KeptAnswer): AsyncGenerator<TurnEvent[]> {
  yield await Promise.resolve([...events]);
}

function sizeOf(event: TurnEvent): number {
  if ('text' in event) return event.text.length;
  return event.type === 'source' ? event.url.length + event.title.length : 50;
}
