import { describe, expect, it } from '@jest/globals';
import { estimateTokens } from '../estimate-tokens.ts';
import { boundTokenCount } from './bound-token-count.ts';

const sum = (texts: readonly string[], count: (text: string) => number): number =>
  texts.reduce((tokens, text) => tokens + count(text), 0);

describe('a bounded count', () => {
  it('counts what is not very long text by text', () => {
    const texts = ['a word', '', '你好', 'x'.repeat(300_000)];
    expect(texts.map(boundTokenCount(estimateTokens))).toEqual(texts.map(estimateTokens));
  });

  it.each([
    ['ten thousand messages', Array.from({ length: 10_000 }, () => 'word '.repeat(200))],
    ['a hundred long ones', Array.from({ length: 100 }, () => 'word '.repeat(20_000))],
    ['a million short ones', Array.from({ length: 1_000_000 }, () => 'hi')],
  ])('looks at a small part of %s, and comes out close', (_what, texts) => {
    let looked = 0;
    const tokens = sum(
      texts,
      boundTokenCount((text) => {
        looked += text.length;
        return text.length / 4;
      }),
    );
    const characters = sum(texts, ({ length }) => length);
    expect(looked).toBeLessThan(400_000 + 100_000 + characters / 32);
    expect(Math.abs(tokens - characters / 4)).toBeLessThan(1);
  });

  it('follows what changes on the way', () => {
    const english = Array.from({ length: 5_000 }, () => 'word '.repeat(200));
    const chinese = Array.from({ length: 5_000 }, () => '你好世界'.repeat(250));
    const exact = 5_000 * (estimateTokens(english[0]!) + estimateTokens(chinese[0]!));
    const tokens = sum([...english, ...chinese], boundTokenCount(estimateTokens));
    expect(Math.abs(tokens / exact - 1)).toBeLessThan(0.05);
  });
});
