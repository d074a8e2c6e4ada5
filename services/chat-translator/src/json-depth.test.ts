import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonDepth } from './json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('jsonDepth', () => {
  it.each([
    ['1', 0],
    ['"[{"', 0],
    [String.raw`"\\"`, 0],
    [String.raw`{"a\"[":[{"b":"]"}]}`, 3],
    ['[[],[[]]]', 3],
    ['"open [', 0],
  ])('of %s is %d', (text, depth) => expect(jsonDepth(text)).toBe(depth));

  it('is that of the value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(jsonDepth(JSON.stringify(value))).toBe(depthOf(value))));
  });

  it('does not mind a million brackets', () => {
    expect(jsonDepth('['.repeat(1_000_000))).toBe(1_000_000);
  });
});
