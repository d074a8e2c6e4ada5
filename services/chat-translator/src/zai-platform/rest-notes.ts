import type { TurnError } from '@zai2api/turn';

/** Why a key rests, for all models or for one. */
export interface RestNote {
  /** Milliseconds since the epoch. */
  readonly untilMs: number;
  readonly why: TurnError;
}

/** Why keys rest, and until when. */
export interface RestNotes {
  /** The rest of that name that is not over. */
  of(name: string): RestNote | undefined;
  /** Of two rests of one name, the longer one counts, as in the store. A good end of another turn ends neither: it may have begun before. */
  add(name: string, note: RestNote): void;
}

/** Notes by name; `now` gives milliseconds since the epoch. */
export function createRestNotes(now: () => number): RestNotes {
  const notes = new Map<string, RestNote>();
  const of = (name: string): RestNote | undefined => {
    const note = notes.get(name);
    return note && note.untilMs > now() ? note : undefined;
  };
  return {
    of,
    add(name, note) {
      for (const old of notes.keys()) if (!of(old)) notes.delete(old);
      notes.set(name, laterRest(of(name), note) ?? note);
    },
  };
}

/** The one of two rests that ends later. */
export const laterRest = (one: RestNote | undefined, other: RestNote | undefined): RestNote | undefined =>
  one && (!other || one.untilMs >= other.untilMs) ? one : other;
