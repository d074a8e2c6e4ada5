import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SearchResult } from './search-results.ts';
import { createJsonSpan, createResultScanner, isResultJson, MAX_RESULT_CHARACTERS } from './search-results-scan.ts';

function scan(pieces: readonly string[], phase = 'tool_response'): SearchResult[] {
  const found: SearchResult[] = [];
  const scanner = createResultScanner((results) => found.push(...results));
  for (const piece of pieces) scanner.push(piece, phase);
  return found;
}

const encodeAtLevel = (value: unknown, level: number): string =>
  level === 0 ? JSON.stringify(value) : JSON.stringify({ result: encodeAtLevel(value, level - 1) });

const wireResult = fc.record({
  url: fc.webUrl(),
  title: fc.string({
    unit: fc.constantFrom('"', '\\', ']', '[', '{', '}', 'a', '【', '\n', '😀', '"search_result":['),
  }),
  ref_id: fc.nat(99).map((number) => `turn0search${number}`),
});

describe('a result scanner', () => {
  it('reads a list at any depth of JSON, however it is cut, whatever stands around it', () => {
    fc.assert(
      fc.property(
        fc.array(wireResult, { maxLength: 4 }),
        fc.nat(3),
        fc.array(fc.nat(), { maxLength: 6 }),
        (list, level, cuts) => {
          const text = `before \\" {"search_result ${encodeAtLevel({ search_result: list }, level)} behind`;
          const places = [0, ...cuts.map((cut) => cut % text.length).sort((a, b) => a - b), text.length];
          const whole = scan([text]);
          expect(whole.map(({ reference }) => reference)).toEqual(list.map(({ ref_id }) => ref_id));
          expect(scan(places.slice(1).map((end, index) => text.slice(places[index], end)))).toEqual(whole);
          expect(scan(text.split(''))).toEqual(whole);
        },
      ),
    );
  });

  it('reads two lists in one text', () => {
    const list = (url: string): string => JSON.stringify({ search_result: [{ url }] });
    expect(scan([`${list('https://a.example/')}${list('https://b.example/')}`])).toHaveLength(2);
  });

  it('takes only references for results where the model speaks', () => {
    const text = JSON.stringify({
      search_result: [{ url: 'https://a.example' }, { url: 'https://b.example', ref_id: 'turn0search1' }],
    });
    expect(scan([text])).toHaveLength(2);
    for (const phase of ['answer', 'thinking']) expect(scan([text], phase)).toHaveLength(1);
  });

  it.each([
    '{"search_result":[{"url":"https://a.example"}',
    '{"search_result":[}',
    '{\\"search_result\\":["a"]',
    '\\\\"search_result\\\\":[]',
  ])('finds nothing in %s', (text) => {
    expect(scan([text])).toEqual([]);
  });

  it('gives up a list that does not end, and reads the next', () => {
    const next = '{"search_result":[{"url":"https://a.example"}]}';
    expect(scan(['{"search_result":["', 'x'.repeat(MAX_RESULT_CHARACTERS + 1), next])).toHaveLength(1);
  });
});

describe('a JSON span', () => {
  it('ends where the value ends', () => {
    fc.assert(
      fc.property(fc.array(fc.json()), fc.string(), (list, rest) => {
        const text = `[${list.join(',')}]`;
        expect(createJsonSpan(0).push(text + rest)).toBe(text.length);
        const encoded = JSON.stringify(text).slice(1, -1);
        expect(createJsonSpan(1).push(encoded + rest)).toBe(encoded.length);
      }),
    );
  });

  it('has no end when an outer string ends first', () => {
    expect(createJsonSpan(1).push('[1,"')).toBe(-1);
  });
});

describe('isResultJson', () => {
  it.each<[string, string, boolean]>([
    ['{"search_result":[{"url":"https://a.example"}]}', 'other', true],
    ['{"search_result":[{"url":"https://a.example"}]}', 'answer', false],
    ['{"a":{"search_result":[{"url":"https://a.example","ref_id":"turn0search1"}]}}\n', 'answer', true],
    ['{"search_result":[]}', 'other', false],
    ['See {"search_result":[{"url":"https://a.example"}]}', 'other', false],
  ])('%s in %s: %p', (text, phase, expected) => {
    expect(isResultJson(text, phase)).toBe(expected);
  });
});
