import { describe, expect, it } from '@jest/globals';
import { createEventChecker, TurnError, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { createLimitStage, type LimitOptions } from './limit-output.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };

type Block = readonly ['reasoning' | 'text', ...string[]];

const eventsOf = (blocks: readonly Block[]): TurnEvent[] => [
  start,
  ...blocks.flatMap(([kind, ...pieces], block): TurnEvent[] => [
    { type: `${kind}-start`, block },
    ...pieces.map((text): TurnEvent => ({ type: `${kind}-delta`, block, text })),
    { type: `${kind}-end`, block },
  ]),
  end,
];

/** One token for every word. */
const countTokens = (text: string): number => text.match(/\S+/g)?.length ?? 0;

function limit(events: readonly TurnEvent[], options: Partial<LimitOptions>) {
  const stage = createLimitStage({ stop: [], countTokens, countInput: () => 7, ...options });
  const checker = createEventChecker();
  const shown = events.flatMap((event) => stage(event));
  for (const event of shown) checker.push(event);
  checker.end();
  const texts = { reasoning: '', text: '' };
  for (const event of shown) {
    if (event.type === 'text-delta') texts.text += event.text;
    if (event.type === 'reasoning-delta') texts.reasoning += event.text;
  }
  return { ...texts, last: shown.at(-1)!, shown, finished: stage.finished };
}

describe('stop sequences', () => {
  it.each<[string, string[], string]>([
    ['one two three', [' two'], 'one'],
    ['one two three', ['three', 'two'], 'one '],
    ['abcdef', ['cd', 'abcdef'], ''],
    ['abcdeX', ['cd', 'abcdef'], 'ab'],
    ['abcde', ['cd', 'abcdef'], 'ab'],
    ['abcabd', ['abd'], 'abc'],
    ['aaab', ['aab'], 'a'],
    ['stop', ['stop', 'stop it'], ''],
    ['a😀b', ['😀'], 'a'],
  ])('%s with %j is %j', (text, stop, shown) => {
    for (const pieces of [[text], text.split('')]) {
      const result = limit(eventsOf([['text', ...pieces]]), { stop });
      expect([result.text, result.finished]).toEqual([shown, true]);
      expect(result.last).toMatchObject({
        type: 'turn-end',
        reason: 'stop',
        usage: { inputTokens: 7, exactness: 'estimated' },
      });
    }
  });

  it('let an answer without them through with its own end, beginnings included', () => {
    const result = limit(
      eventsOf([
        ['text', 'one tw'],
        ['reasoning', 'a'],
        ['text', 'o st'],
      ]),
      { stop: ['two', 'stop'] },
    );
    expect(result).toMatchObject({ text: 'one two st', last: end, finished: false });
  });

  it('are looked for in the text alone', () => {
    const calls: TurnEvent[] = [
      { type: 'tool-call-start', block: 9, callId: 'c', name: 'stop' },
      { type: 'tool-call-delta', block: 9, argumentsText: 'stop' },
      { type: 'tool-call-end', block: 9 },
    ];
    const events = eventsOf([
      ['reasoning', 'stop'],
      ['text', 'go'],
    ]);
    const result = limit([...events.slice(0, -1), ...calls, end], { stop: ['stop'] });
    expect(result).toMatchObject({ reasoning: 'stop', text: 'go', last: end, finished: false });
  });

  it('let out what is held before an error in an open block', () => {
    const error: TurnEvent = {
      type: 'turn-error',
      error: new TurnError('upstream_failed', 'x', { layer: 'upstream' }),
    };
    const events = eventsOf([['text', 'one st']]).slice(0, -2);
    expect(limit([...events, error], { stop: ['stop'] })).toMatchObject({ text: 'one st', last: error });
  });

  it('count what was sent', () => {
    const { last } = limit(
      eventsOf([
        ['reasoning', 'a b c'],
        ['text', 'd e stop f'],
      ]),
      { stop: ['stop'] },
    );
    expect(last).toMatchObject({
      usage: { inputTokens: 7, outputTokens: 5, reasoningTokens: 3, exactness: 'estimated' },
    });
  });

  it('mean the same however the text is cut: the leftmost match', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 24 });
    const sequences = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(letters, sequences, fc.array(fc.nat(), { maxLength: 8 }), (text, stop, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = places
          .slice(1)
          .map((place, index) => text.slice(places[index], place))
          .filter(Boolean);
        const found = Math.min(
          ...stop.map((sequence) => text.indexOf(sequence)).filter((place) => place >= 0),
          text.length,
        );
        for (const each of [pieces, text.split('')]) {
          const result = limit(eventsOf([['text', ...each]]), { stop });
          expect(result.text).toBe(text.slice(0, found));
          expect(result.finished).toBe(stop.some((sequence) => text.includes(sequence)));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a token limit', () => {
  it('covers thinking and text together', () => {
    const result = limit(
      eventsOf([
        ['reasoning', 'a b c'],
        ['text', 'd e', ' f g'],
      ]),
      { maxOutputTokens: 5 },
    );
    expect(result).toMatchObject({ reasoning: 'a b c', text: 'd e', finished: true });
    expect(result.last).toMatchObject({
      type: 'turn-end',
      reason: 'length',
      usage: { outputTokens: 5, reasoningTokens: 3 },
    });
  });

  it('ends in thinking too', () => {
    const result = limit(
      eventsOf([
        ['reasoning', 'a b c'],
        ['text', 'd'],
      ]),
      { maxOutputTokens: 2 },
    );
    expect(result).toMatchObject({ reasoning: 'a b', text: '' });
    expect(result.shown.slice(-2)).toMatchObject([{ type: 'reasoning-end' }, { reason: 'length' }]);
  });

  it('lets an answer of just that length end by itself', () => {
    expect(limit(eventsOf([['text', 'a b']]), { maxOutputTokens: 2 })).toMatchObject({
      text: 'a b',
      last: end,
      finished: false,
    });
  });

  it('gives one word at least, and says no more tokens than allowed', () => {
    const result = limit(eventsOf([['text', 'internationalization of it all']]), {
      maxOutputTokens: 1,
      countTokens: (text) => text.length,
    });
    expect(result).toMatchObject({ text: 'internationa', last: { reason: 'length', usage: { outputTokens: 1 } } });
  });

  it('does not cut a tool call', () => {
    const calls: TurnEvent[] = [
      { type: 'tool-call-start', block: 9, callId: 'c', name: 'f' },
      { type: 'tool-call-delta', block: 9, argumentsText: '{"a": "b c d"}' },
      { type: 'tool-call-end', block: 9 },
    ];
    const events = [...eventsOf([['text', 'a']]).slice(0, -1), ...calls, end];
    expect(limit(events, { maxOutputTokens: 1 }).last).toEqual(end);
  });

  it('yields to a stop sequence that comes first, and the other way round', () => {
    const events = eventsOf([['text', 'a b c d e']]);
    expect(limit(events, { stop: ['c'], maxOutputTokens: 4 })).toMatchObject({
      text: 'a b ',
      last: { reason: 'stop' },
    });
    expect(limit(events, { stop: ['d'], maxOutputTokens: 2 })).toMatchObject({
      text: 'a b',
      last: { reason: 'length' },
    });
  });

  it('means the same however the answer is cut, and splits no character', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '字', '😀', 'x'.repeat(9)), maxLength: 30 });
    fc.assert(
      fc.property(
        text,
        text,
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom<string[]>([], ['ab'], ['b ']),
        (thought, words, max, stop) => {
          const blocks = (
            [
              ['reasoning', thought],
              ['text', words],
            ] as const
          ).filter(([, each]) => each !== '');
          const options = { stop, maxOutputTokens: max, countTokens: (each: string) => Math.ceil(each.length / 3) };
          const whole = limit(eventsOf(blocks), options);
          const units = limit(eventsOf(blocks.map(([kind, each]): Block => [kind, ...each.split('')])), options);
          expect([units.reasoning, units.text, units.last]).toEqual([whole.reasoning, whole.text, whole.last]);
          expect(whole.text.isWellFormed()).toBe(true);
          expect(thought.startsWith(whole.reasoning) && words.startsWith(whole.text)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('counts each word once', () => {
    let counted = 0;
    const pieces = Array.from({ length: 5_000 }, () => 'word ');
    limit(eventsOf([['text', ...pieces]]), {
      maxOutputTokens: 10_000,
      countTokens: (text) => {
        counted += text.length;
        return 1;
      },
    });
    expect(counted).toBe(pieces.join('').length);
  });
});
