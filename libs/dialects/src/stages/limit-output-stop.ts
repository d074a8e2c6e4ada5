/** Looks for stop sequences in text that comes in pieces, however it is cut. */
export interface StopFilter {
  /** The text that may be shown now; `stopped`: a sequence was found behind it, and nothing more will come. */
  push(text: string): { readonly text: string; readonly stopped: boolean };
  /** What was held back is decided: nothing more will come. The filter can be used again. */
  end(): { readonly text: string; readonly stopped: boolean };
}

/**
 * A filter for `sequences`, none of them empty. The sequence that begins first wins, the longest of those that begin at the same place;
 * what may be the beginning of one is held back (contract 1.6).
 */
export function createStopFilter(sequences: readonly string[]): StopFilter {
  const longest = Math.max(0, ...sequences.map((sequence) => sequence.length));
  let held = '';

  function findSequence(text: string): number | undefined {
    const places = sequences.map((sequence) => text.indexOf(sequence)).filter((place) => place >= 0);
    return places.length === 0 ? undefined : Math.min(...places);
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
      if (found !== undefined && (beginning === undefined || found <= beginning)) {
        held = '';
        return { text: all.slice(0, found), stopped: true };
      }
      held = beginning === undefined ? '' : all.slice(beginning);
      return { text: beginning === undefined ? all : all.slice(0, beginning), stopped: false };
    },
    end() {
      const found = findSequence(held);
      const text = held.slice(0, found);
      held = '';
      return { text, stopped: found !== undefined };
    },
  };
}
