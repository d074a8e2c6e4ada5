import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createResultFilter } from './search-results-filter.ts';

function filter(pieces: readonly string[]): string {
  let shown = '';
  const results = createResultFilter({
    reasoning: () => undefined,
    text: (text) => {
      expect(text).not.toBe('');
      shown += text;
    },
    endReasoning: () => undefined,
  });
  for (const piece of pieces) results.text(piece);
  results.end();
  return shown;
}

const list = '{ "search_result": [{"title":"]}","url":"https://a.example","ref_id":"turn0search1"}] }';
const own = '{"search_result":[{"url":"https://a.example"}]}';

describe('a result filter', () => {
  it.each([
    ['', ''],
    [list, ''],
    [`a ${list}\n\nb`, 'a b'],
    [`${list}${list}a`, 'a'],
    [own, own],
    [`a ${own} {b}`, `a ${own} {b}`],
    ['{', '{'],
    ['{"search_result":[{"url":"https://a.example","ref_id":"turn0sea', ''],
    ['{"search_result":[{"url":"https://a.exa', '{"search_result":[{"url":"https://a.exa'],
    ['{"search_results":[]}', '{"search_results":[]}'],
  ])('makes %j to %j', (text, shown) => {
    expect(filter([text])).toBe(shown);
  });

  it('gives the same however it is cut', () => {
    const part = fc.constantFrom(list, own, '{', '}', '\n', ' a ', '{"search', '_result":[', '"', '{"a":1}');
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat(), { maxLength: 6 }), (parts, cuts) => {
        const text = parts.join('');
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const whole = filter([text]);
        expect(filter(text.split(''))).toBe(whole);
        expect(filter(places.slice(1).map((end, index) => text.slice(places[index], end)))).toBe(whole);
      }),
    );
  });

  it('holds nothing back behind what is no opening', () => {
    let shown = '';
    const results = createResultFilter({
      reasoning: () => undefined,
      text: (text) => (shown += text),
      endReasoning: () => undefined,
    });
    for (const [piece, expected] of [
      ['a {', 'a '],
      [' "search', 'a '],
      ['ed": ', 'a { "searched": '],
    ] as const) {
      results.text(piece);
      expect(shown).toBe(expected);
    }
  });
});
