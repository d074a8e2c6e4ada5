import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { measureJson } from './measure-json.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return 1 + Object.values(value).reduce<number>((sum, each) => sum + countValues(each), 0);
}

describe('measureJson', () => {
  it.each([
    ['1', 0, 1],
    ['"[{,"', 0, 1],
    [String.raw`"\\"`, 0, 1],
    [String.raw`{"a\"[":[{"b":"],"}]}`, 3, 4],
    ['[[],[[]]]', 3, 6],
    ['"open [', 0, 1],
    ['[1,2,3]', 1, 4],
    ['{"a":1,"b":2}', 1, 3],
  ])('of %s is %d deep with %d values', (text, depth, values) => expect(measureJson(text)).toEqual({ depth, values }));

  it('fits the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { depth, values } = measureJson(JSON.stringify(value));
        expect(depth).toBe(depthOf(value));
        expect(values).toBeGreaterThanOrEqual(countValues(value) / 2);
        expect(values).toBeLessThanOrEqual(countValues(value) * 2);
      }),
    );
  });

  it('finds the end of a string with escapes of any length between them', () => {
    for (let length = 1_010; length < 1_040; length++) {
      for (const escaped of ['"', '\\', '\\"', '"\\\\']) {
        const text = JSON.stringify([`"${'a'.repeat(length)}${escaped}[{,`, 'x']);
        expect(measureJson(text)).toEqual({ depth: 1, values: 3 });
      }
    }
  });

  it('does not mind a million brackets', () => {
    expect(measureJson('['.repeat(1_000_000))).toEqual({ depth: 1_000_000, values: 1_000_001 });
  });
});
