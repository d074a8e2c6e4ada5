import { describe, expect, it } from '@jest/globals';
import { decodeUsage } from './decode-usage.ts';

const counted = { cachedInputTokens: 0, reasoningTokens: 0, exactness: 'exact' };

describe('decodeUsage', () => {
  it.each<[string, unknown, unknown]>([
    [
      'both totals',
      { prompt_tokens: 3, completion_tokens: 4, words: 99 },
      { ...counted, inputTokens: 3, outputTokens: 4 },
    ],
    ['zeros', { prompt_tokens: 0, completion_tokens: 0 }, { ...counted, inputTokens: 0, outputTokens: 0 }],
    ['fractions', { prompt_tokens: 3.9, completion_tokens: 4.1 }, { ...counted, inputTokens: 3, outputTokens: 4 }],
    [
      'details',
      {
        prompt_tokens: 3,
        completion_tokens: 4,
        prompt_tokens_details: { cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
      { inputTokens: 3, outputTokens: 4, cachedInputTokens: 2, reasoningTokens: 1, exactness: 'exact' },
    ],
    [
      'details of a wrong kind',
      {
        prompt_tokens: 3,
        completion_tokens: 4,
        prompt_tokens_details: null,
        completion_tokens_details: { reasoning_tokens: -1 },
      },
      { ...counted, inputTokens: 3, outputTokens: 4 },
    ],
    ['one total alone', { prompt_tokens: 3, total_tokens: 7 }, undefined],
    ['text', { prompt_tokens: '3', completion_tokens: '4' }, undefined],
    ['negative counts', { prompt_tokens: -3, completion_tokens: 4 }, undefined],
    ['infinity', { prompt_tokens: Infinity, completion_tokens: 4 }, undefined],
    ['null', null, undefined],
    ['an array', [3, 4], undefined],
    ['nothing', undefined, undefined],
  ])('reads %s', (_name, value, usage) => {
    expect(decodeUsage(value)).toEqual(usage);
  });
});
