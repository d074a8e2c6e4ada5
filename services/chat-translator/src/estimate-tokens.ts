import { estimateTokenCount } from 'tokenx';

/** Up to here every character of a text is looked at: about 10 ms of work. */
export const MAX_WHOLE_CHARACTERS = 100_000;
const SAMPLES = 10;

/**
 * Estimated tokens of a text. A very long one is judged by samples from all over it: counting megabytes would hold up every other
 * request for seconds, for a number that is an estimate all the same.
 */
export function estimateTokens(text: string): number {
  if (text.length <= MAX_WHOLE_CHARACTERS) return estimateTokenCount(text);
  const sampleLength = MAX_WHOLE_CHARACTERS / SAMPLES;
  const step = (text.length - sampleLength) / (SAMPLES - 1);
  let tokens = 0;
  for (let index = 0; index < SAMPLES; index++) {
    const start = Math.round(index * step);
    tokens += estimateTokenCount(text.slice(start, start + sampleLength));
  }
  return Math.round((tokens / MAX_WHOLE_CHARACTERS) * text.length);
}
