/** Text that may be shown now, and the sequence that was found behind it, if one was: then nothing more will come. */
export interface StopReading {
  readonly text: string;
  readonly sequence?: string | undefined;
}

/** Looks for stop sequences in text that comes in pieces, however it is cut. */
export interface StopFilter {
  push(text: string): StopReading;
  /** What was held back is decided: nothing more will come. The filter can be used again. */
  end(): StopReading;
}

/**
 * A filter for `sequences`, none of them empty. The sequence that begins first wins, the longest of those that begin at the same place;
 * what may be the beginning of one is held back (contract 1.6).
 */
export function createStopFilter(sequences: readonly string[]): StopFilter {
  const longest = Math.max(0, ...sequences.map((sequence) => sequence.length));
  let held = '';

  function findSequence(text: string): { readonly at: number; readonly sequence: string } | undefined {
    let found: { at: number; sequence: string } | undefined;
    for (const sequence of sequences) {
      const at = text.indexOf(sequence);
      if (at < 0 || (found && (at > found.at || (at === found.at && sequence.length < found.sequence.length))))
        continue;
      found = { at, sequence };
    }
    return found;
  }

  /** Where the first sequence begins that the end of the text leaves open. */
  function findBeginning(text: string): number | undefined {
    for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
      const character = text.charAt(at);
      for (const sequence of sequences) {
        if (sequence.startsWith(character) && sequence.length > text.length - at && sequence.startsWith(text.slice(at)))
          return at;
      }
    }
    return undefined;
  }

  return {
    push(text) {
      const all = held + text;
      const found = findSequence(all);
      const beginning = findBeginning(all);
      // A sequence that began earlier may still come true.
      if (found && (beginning === undefined || found.at <= beginning)) {
        held = '';
        return { text: all.slice(0, found.at), sequence: found.sequence };
      }
      held = beginning === undefined ? '' : all.slice(beginning);
      return { text: beginning === undefined ? all : all.slice(0, beginning) };
    },
    end() {
      const found = findSequence(held);
      const text = held.slice(0, found?.at);
      held = '';
      return { text, sequence: found?.sequence };
    },
  };
}
