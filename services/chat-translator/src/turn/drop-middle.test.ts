import { describe, expect, it } from '@jest/globals';
import type { TurnMessage, TurnRequest } from '@zai2api/turn';
import fc from 'fast-check';
import { estimateInput } from '../answer/estimate-input.ts';
import { dropMiddle } from './drop-middle.ts';

const byCharacter = (text: string): number => text.length;
const user = (text: string): TurnMessage => ({ role: 'user', text, attachments: [] });
const system = (text: string): TurnMessage => ({ role: 'system', text });
const said = (text: string): TurnMessage => ({ role: 'assistant', text, toolCalls: [] });
const called = (callId: string): TurnMessage => ({
  role: 'assistant',
  text: '',
  toolCalls: [{ callId, name: 'f', argumentsText: '{}' }],
});
const result = (callId: string): TurnMessage => ({ role: 'tool', callId, text: 'x' });
const requestOf = (messages: readonly TurnMessage[]): TurnRequest => ({
  model: 'm',
  messages,
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { stop: [] },
});
const drop = (messages: readonly TurnMessage[], most: number): readonly TurnMessage[] =>
  dropMiddle(requestOf(messages), most, byCharacter).messages;

describe('dropMiddle', () => {
  const long = [system('ss'), user('first'), said('aaaa'), user('bbbb'), said('cccc'), user('last')];

  it.each([
    [100, long],
    [23, long],
    [22, [long[0], long[1], long[3], long[4], long[5]]],
    [15, [long[0], long[1], long[4], long[5]]],
    [11, [long[0], long[1], long[5]]],
    [3, [long[0], long[1], long[5]]],
    [Infinity, long],
  ])('keeps the beginning and the end within %d tokens', (most, kept) => {
    expect(drop(long, most)).toEqual(kept);
  });

  it('keeps calls with their results', () => {
    const messages = [user('q'), called('a'), result('a'), result('b'), called('c'), result('c')];
    expect(drop(messages, 11)).toEqual([user('q'), called('c'), result('c')]);
    expect(drop(messages, 1)).toEqual([user('q'), called('c'), result('c')]);
  });

  it('counts nothing again for each message, however much there is of it', () => {
    const counted = new Map<string, number>();
    const messages = Array.from({ length: 2_000 }, (_, index) => user(`${index} ${'x'.repeat(100)}`));
    const tools = Array.from({ length: 50 }, (_, index) => ({ name: `t${index}`, parameters: {}, strict: false }));
    const { messages: kept } = dropMiddle({ ...requestOf(messages), tools }, 50_000, (text) => {
      counted.set(text, (counted.get(text) ?? 0) + 1);
      return text.length;
    });
    expect(kept.length).toBeGreaterThan(100);
    expect(counted.size).toBe(messages.length + tools.length);
    expect([...counted.values()].filter((count) => count > 2)).toEqual([]);
  });

  it('is short enough by the count of the whole, too, which is judged by other samples than its parts', () => {
    const filler = Array.from({ length: 40 }, (_, index) => user(`${index} `.repeat(9_000)));
    const dense = Array.from({ length: 200 }, (_, index) => user(`${index}!`.repeat(2_000)));
    const words = (text: string): number => text.split(/[ !]/).length;
    for (const messages of [filler, dense, [...filler, ...dense], [...dense, ...filler]]) {
      const kept = dropMiddle(requestOf(messages), 150_000, words);
      expect(estimateInput(kept, words)).toBeLessThanOrEqual(150_000);
      expect(estimateInput(kept, words)).toBeGreaterThan(100_000);
    }
  });

  it('never is too long unless its beginning and its end are, and never loses more than it must', () => {
    const message = fc.oneof(
      fc.string({ maxLength: 9 }).map(user),
      fc.string({ maxLength: 9 }).map(said),
      fc.constantFrom('a', 'b').map(called),
      fc.constantFrom('a', 'b').map(result),
    );
    fc.assert(
      fc.property(fc.array(message, { minLength: 1 }), fc.nat(60), (messages, most) => {
        const kept = drop(messages, most);
        const least = drop(messages, 0);
        const size = (list: readonly TurnMessage[]): number => estimateInput(requestOf(list), byCharacter);
        expect(size(kept)).toBeLessThanOrEqual(Math.max(most, size(least)));
        expect(messages.filter((each) => kept.includes(each))).toEqual(kept);
        expect(kept.at(-1)).toBe(messages.at(-1));
      }),
    );
  });
});
