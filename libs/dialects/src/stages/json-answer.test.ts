import { describe, expect, it } from '@jest/globals';
import { createEventChecker, foldEvents, TurnError, type ResponseFormat, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { createJsonAnswerStage, INVALID_STRUCTURED_OUTPUT } from './json-answer.ts';
import type { SchemaCheck } from './schema-check.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end = (reason: 'stop' | 'length' | 'content-filter' | 'tool-calls' = 'stop'): TurnEvent => ({
  type: 'turn-end',
  reason,
  usage,
});
const block = (kind: 'reasoning' | 'text', number: number, ...pieces: readonly string[]): TurnEvent[] => [
  { type: `${kind}-start`, block: number },
  ...pieces.filter(Boolean).map((text): TurnEvent => ({ type: `${kind}-delta`, block: number, text })),
  { type: `${kind}-end`, block: number },
];
const call = (number: number): TurnEvent[] => [
  { type: 'tool-call-start', block: number, callId: 'call_1', name: 'now' },
  { type: 'tool-call-delta', block: number, argumentsText: '{}' },
  { type: 'tool-call-end', block: number },
];

const schema = { type: 'object' };
const object: ResponseFormat = { type: 'json-object' };
const schemed: ResponseFormat = { type: 'json-schema', name: 'city', schema, strict: true };
/** A schema that wants a city, as the check of the translator would find it. */
const wantsCity: SchemaCheck = (_schema, value) =>
  typeof (value as { city?: unknown }).city === 'string' ? [] : ['/city must be string'];

/** What the stage lets through, held to the order rules. */
function run(events: readonly TurnEvent[], format: ResponseFormat = object, check: SchemaCheck = wantsCity) {
  const stage = createJsonAnswerStage(format, check);
  const checker = createEventChecker();
  const shown = [start, ...events].flatMap((event) => stage(event));
  for (const event of shown) checker.push(event);
  checker.end();
  return shown;
}

/** The delivered text, or what was wrong. */
function judged(
  text: string | readonly string[],
  format: ResponseFormat = object,
): string | { readonly fault: string } {
  const pieces = typeof text === 'string' ? [text] : text;
  const shown = run([...block('text', 0, ...pieces), end()], format);
  const last = shown.at(-1)!;
  if (last.type !== 'turn-error') return foldEvents(shown).text;
  expect(last.error).toMatchObject({ code: 'upstream_failed', details: { reason: INVALID_STRUCTURED_OUTPUT } });
  // Nothing of an answer that is refused was seen.
  expect(shown).toEqual([start, last]);
  return { fault: last.error.message };
}
const notOne = { fault: 'The model’s answer is not the JSON that was asked for: the answer is not one JSON object.' };

describe('the answer that must be JSON', () => {
  it.each([
    ['JSON', '{"city": "Paris",\n "n": 12345678901234567890, "s": "```json\\n{}```" }'],
    ['JSON with spaces round it', '{"city":"Paris"}', '\n  {"city":"Paris"}\n'],
    ['nothing in it', '{}'],
    ['a fence', '{"city":"Paris"}', '```json\n{"city":"Paris"}\n```'],
    ['a fence without a name', '{"city":"Paris"}', '```\n{"city":"Paris"}\n```'],
    ['a fence with CR LF', '{"city":"Paris"}', '```JSON\r\n{"city":"Paris"}\r\n```'],
    ['a fence that is not closed', '{"city":"Paris"}', '```json\n{"city":"Paris"}'],
    ['a fence with a fence in it', '{"a":"```js\\nx\\n```"}', '```json\n{"a":"```js\\nx\\n```"}\n```'],
    ['the first of two fences', '{"a":1}', '```json\n{"a":1}\n```\nIn code:\n```js\nf({})\n```'],
    ['a fence with prose round it', '{"a":1}', 'Here it is:\n```json\n{"a":1}\n```\nIt has {braces} too.'],
    ['prose before it', '{"a":{"b":[1]}}', 'Here it is: {"a":{"b":[1]}}'],
    ['prose behind it', '{"a":"}"}', '{"a":"}"}\n\nThat is {all}, [1].'],
    ['single quotes', '{"a":"b"}', "{'a':'b'}"],
    ['a comma too many', '{"a":[1,2]}', '{"a":[1,2,],}'],
    ['comments', '{"a":1 }', '{"a":1 /* one */}'],
    ['words of Python', '{"a":true,"b":null}', '{"a":True,"b":None}'],
    ['raw line breaks', '{"a":"b\\nc"}', '{"a":"b\nc"}'],
    ['backslashes that JSON does not know', '{"a":"\\\\d+"}', '{"a":"\\d+"}'],
    ['no closing brackets', '{"a":[1,{"b":"c"}]}', '{"a":[1,{"b":"c"}'],
    ['a broken object in a fence', '{"a":1}', '```json\n{a:1}\n```'],
  ])('is delivered from %s', (_what, expected, text = expected) => {
    expect(judged(text)).toBe(expected);
  });

  it.each([
    ['prose', 'I cannot do that.'],
    ['prose in braces', 'Use {name} and {x}'],
    ['a list', '[{"a":1}]'],
    ['a list in a fence', '```json\n[{"a":1}]\n```'],
    ['a list with prose round it', 'The list: [{"a":1}] is all.'],
    ['an open list', '[{"a":1}'],
    ['a string', '"{}"'],
    ['a number', '12'],
    ['null', 'null'],
    ['several objects', '{"a":1}\n{"b":2}'],
    ['several objects in a row', '{"a":1}, {"b":2}'],
    ['half a string', '{"a":"Par'],
    ['half a key', '{"a":1,"b'],
    ['half a word', '{"a":tr'],
    ['half a list', '{"a":[1,'],
    ['nothing', ' '],
    ['nothing in a fence', '```json\n```'],
  ])('is refused for %s', (_what, text) => {
    expect(judged(text)).toEqual(notOne);
  });

  it('is held to its schema, repaired or not', () => {
    expect(judged('{"city":"Paris"}', schemed)).toBe('{"city":"Paris"}');
    expect(judged("{'city':'Paris'}", schemed)).toBe('{"city":"Paris"}');
    const fault = 'The model’s answer is not the JSON that was asked for: /city must be string.';
    expect(judged('{"city":1}', schemed)).toEqual({ fault });
    expect(judged('{"town":"Paris"}', schemed)).toEqual({ fault });
    expect(judged('no', schemed)).toEqual(notOne);
    expect(judged('{"city":1}', object)).toBe('{"city":1}');
  });

  it('gets the schema and the value to its check, and names no more than five faults', () => {
    const seen: unknown[] = [];
    const check: SchemaCheck = (...given) => {
      seen.push(given);
      return ['a', 'b', 'c', 'd', 'e', 'f'];
    };
    const last = run([...block('text', 0, '{"x":1}'), end()], schemed, check).at(-1)!;
    expect(seen).toEqual([[schema, { x: 1 }]]);
    expect(last).toMatchObject({ error: { message: expect.stringMatching(/: a; b; c; d; e\.$/) } });
  });

  it('is held until it is whole, while thinking and sources flow', () => {
    const stage = createJsonAnswerStage(object, wantsCity);
    const events: TurnEvent[] = [
      start,
      ...block('reasoning', 0, 'hm'),
      { type: 'source', url: 'https://a.example/', title: 'A' },
      ...block('text', 1, '{"a"', ':1}'),
    ];
    const shown = events.map((event) => stage(event));
    expect(shown.slice(0, 5)).toEqual(events.slice(0, 5).map((event) => [event]));
    expect(shown.slice(5).flat()).toEqual([]);
    expect(stage(end())).toEqual([...block('text', 2, '{"a":1}'), end()]);
  });

  it('may come in several blocks, with thoughts between and behind them', () => {
    const shown = run([
      ...block('text', 0, '{"a"'),
      ...block('reasoning', 1, 'hm'),
      ...block('text', 2, ':1}'),
      ...block('reasoning', 3, 'done'),
      end(),
    ]);
    expect(shown.slice(-4)).toEqual([...block('text', 4, '{"a":1}'), end()]);
  });

  it.each(['length', 'content-filter'] as const)('is not judged when it was cut (%s)', (reason) => {
    const shown = run([...block('text', 0, ' {"a":"Par'), end(reason)], schemed);
    expect(shown).toEqual([start, ...block('text', 1, ' {"a":"Par'), end(reason)]);
    expect(run([end(reason)], schemed)).toEqual([start, end(reason)]);
  });

  it('leaves calls alone, and their text out', () => {
    const shown = run([...block('text', 0, 'I will look.'), ...call(1), end('tool-calls')], schemed);
    expect(shown).toEqual([start, ...call(1), end('tool-calls')]);
  });

  it('is never seen when the turn fails', () => {
    const error = new TurnError('upstream_failed', 'No.', { layer: 'upstream' });
    const failure: TurnEvent = { type: 'turn-error', error };
    expect(run([...block('text', 0, '{"a":1}'), failure])).toEqual([start, failure]);
  });

  it('is no concern of free text', () => {
    const events = [...block('text', 0, 'Hi'), end()];
    expect(run(events, { type: 'text' })).toEqual([start, ...events]);
  });
});

describe('for any answer', () => {
  const strings = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('```js\nx\n```', '{', '}]', '"', '\\'));
  const json = fc.dictionary(strings, fc.oneof(strings, fc.jsonValue()), { noNullPrototype: true });
  const cuts = fc.array(fc.nat(), { maxLength: 8 });

  function cut(text: string, at: readonly number[]): string[] {
    const places = [0, ...at.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
    return places.slice(1).map((to, index) => text.slice(places[index], to));
  }

  it('JSON is delivered byte for byte, however it was cut and wrapped', () => {
    const wrapped = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => ` ${text}\n`,
      (text) => `\`\`\`json\n${text}\n\`\`\``,
      (text) => `Here it is: ${text}`,
      (text) => `${text}\nThat is all.`,
    );
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), wrapped, cuts, (value, indent, wrap, at) => {
        const text = JSON.stringify(value, null, indent);
        expect(judged(cut(wrap(text), at))).toBe(text);
      }),
    );
  });

  it('what is delivered is one JSON object', () => {
    const words = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      ':',
      ',',
      '```',
      'json\n',
      '\n',
      'a',
      '1',
      ' ',
      '\\',
      '{"a":1}',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 14 }), (pieces) => {
        const result = judged(pieces.filter(Boolean));
        if (typeof result !== 'string') return;
        expect(Object.prototype.toString.call(JSON.parse(result))).toBe('[object Object]');
      }),
      { numRuns: 2_000 },
    );
  });
});
