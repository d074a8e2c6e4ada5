import { MAX_WHOLE_CHARACTERS } from '../estimate-tokens.ts';

/** Characters that are all looked at: about 100 ms of work, and more than most models take. */
const MAX_COUNTED_CHARACTERS = 400_000;
/** Behind them a sample is taken whenever so many characters have gone by. */
const SAMPLE_EVERY_CHARACTERS = 65_536;
const SAMPLE_CHARACTERS = 1_024;

/**
 * `countTokens` for the many texts of one request, in their order: those that come late in a very long one are judged by samples. Counting each
 * of ten thousand messages would hold up everybody else for seconds, for a number that is an estimate all the same. No text counts for less
 * than nothing, so that a longer conversation never counts for less.
 */
export function boundTokenCount(countTokens: (text: string) => number): (text: string) => number {
  let left = MAX_COUNTED_CHARACTERS;
  let sinceSample = Infinity;
  let tokensPerCharacter = 0;
  return (text) => {
    if (text === '') return 0;
    if (left > 0) {
      // Longer ones are judged by samples of that size.
      left -= Math.min(text.length, MAX_WHOLE_CHARACTERS);
      return countTokens(text);
    }
    sinceSample += text.length;
    if (sinceSample >= SAMPLE_EVERY_CHARACTERS) {
      sinceSample = 0;
      const sample = text.slice(0, Math.max(SAMPLE_CHARACTERS, Math.ceil(text.length / 64)));
      tokensPerCharacter = countTokens(sample) / sample.length;
    }
    return text.length * tokensPerCharacter;
  };
}
