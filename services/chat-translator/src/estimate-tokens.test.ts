import { describe, expect, it } from '@jest/globals';
import { estimateTokenCount } from 'tokenx';
import { estimateTokens } from './estimate-tokens.ts';

const english = 'The quick brown fox jumps over the lazy dog. ';

describe('estimateTokens', () => {
  it('counts all of a text of ordinary length', () => {
    expect(estimateTokens('')).toBe(0);
    expect(estimateTokens(english)).toBe(estimateTokenCount(english));
  });

  it.each([
    ['even text', english.repeat(10_000)],
    [
      'text that changes on the way',
      english.repeat(5_000) + '敏捷的棕色狐狸跳过懒狗。'.repeat(10_000) + 'x = {};\n'.repeat(20_000),
    ],
  ])('is near the count of very long %s', (_name, text) => {
    const counted = estimateTokenCount(text);
    expect(Math.abs(estimateTokens(text) - counted) / counted).toBeLessThan(0.2);
  });
});
