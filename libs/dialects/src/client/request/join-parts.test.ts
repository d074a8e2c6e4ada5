import { describe, expect, it } from '@jest/globals';
import { joinParts } from './join-parts.ts';

describe('joinParts', () => {
  it.each([
    [[], ''],
    [['', ''], ''],
    [['a'], 'a'],
    [['a', 'b'], 'a\nb'],
    [['a', '', 'b'], 'a\nb'],
    [['a\n', 'b'], 'a\nb'],
    [['a', '\nb'], 'a\nb'],
    [['a\n', '', '\nb'], 'a\n\nb'],
  ])('of %j is %j', (parts, text) => {
    expect(joinParts(parts)).toBe(text);
  });

  it('does not look at all of the text again for each part', () => {
    // Takes minutes otherwise.
    expect(joinParts(Array.from({ length: 300_000 }, () => 'x'.repeat(10)))).toHaveLength(300_000 * 11 - 1);
  });
});
