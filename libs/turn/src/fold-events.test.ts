import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createEventFold, foldEvents } from './fold-events.ts';
import { TurnError } from './turn-error.ts';
import type { TurnEvent } from './turn-event.ts';

const warnings = [{ code: 'ignored-parameter', field: 'seed' }] as const;
const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 5, warnings };
const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'length', usage };

describe('a fold without an end', () => {
  const cut = expect.objectContaining({ code: 'upstream_failed', details: { layer: 'upstream' } }) as unknown as Error;

  it.each<[string, TurnEvent[]]>([
    ['nothing', []],
    ['a start alone', [start]],
    ['text that stops', [start, { type: 'text-start', block: 0 }, { type: 'text-delta', block: 0, text: 'Hi' }]],
    ['an end alone', [end]],
  ])('is an error: %s', (_name, events) => {
    const fold = createEventFold();
    for (const event of events) fold.push(event);
    expect(() => fold.result()).toThrow(cut);
  });

  it('throws the very error that the stream ended with', () => {
    const error = new TurnError('upstream_busy', 'Busy.', { layer: 'upstream', retryAfterSeconds: 3 });
    try {
      foldEvents([start, { type: 'turn-error', error }]);
    } catch (thrown) {
      expect(thrown).toBe(error);
      return;
    }
    throw new Error('nothing was thrown');
  });
});

describe('a fold', () => {
  it('of an empty answer is empty', () => {
    expect(foldEvents([start, end])).toEqual({
      id: 't',
      model: 'm',
      createdAt: 5,
      warnings,
      blocks: [],
      reasoning: '',
      text: '',
      toolCalls: [],
      sources: [],
      finishReason: 'length',
      usage,
    });
  });

  it('joins thinking by a blank line, text as it is, and keeps calls and sources in order', () => {
    const result = foldEvents([
      start,
      { type: 'reasoning-start', block: 0 },
      { type: 'reasoning-delta', block: 0, text: 'a' },
      { type: 'reasoning-delta', block: 0, text: 'b' },
      { type: 'reasoning-end', block: 0, summary: 'Thought for 1 second' },
      { type: 'text-start', block: 1 },
      { type: 'text-delta', block: 1, text: 'one ' },
      { type: 'source', url: 'https://a.example', title: 'A' },
      { type: 'text-end', block: 1 },
      { type: 'reasoning-start', block: 2 },
      { type: 'reasoning-delta', block: 2, text: 'c' },
      { type: 'reasoning-end', block: 2 },
      { type: 'text-start', block: 3 },
      { type: 'text-delta', block: 3, text: 'two' },
      { type: 'text-end', block: 3 },
      { type: 'tool-call-start', block: 4, callId: 'call_a', name: 'f' },
      { type: 'tool-call-delta', block: 4, argumentsText: '{"q":' },
      { type: 'tool-call-delta', block: 4, argumentsText: '1}' },
      { type: 'tool-call-end', block: 4 },
      { type: 'tool-call-start', block: 5, callId: 'call_b', name: 'g' },
      { type: 'tool-call-end', block: 5 },
      { type: 'source', url: 'https://b.example', title: 'B' },
      end,
    ]);
    expect(result).toMatchObject({
      blocks: [
        { type: 'reasoning', text: 'ab' },
        { type: 'text', text: 'one ' },
        { type: 'reasoning', text: 'c' },
        { type: 'text', text: 'two' },
        { type: 'tool-call', callId: 'call_a', name: 'f', argumentsText: '{"q":1}' },
        { type: 'tool-call', callId: 'call_b', name: 'g', argumentsText: '' },
      ],
      reasoning: 'ab\n\nc',
      text: 'one two',
      toolCalls: [
        { callId: 'call_a', name: 'f', argumentsText: '{"q":1}' },
        { callId: 'call_b', name: 'g', argumentsText: '' },
      ],
      sources: [
        { url: 'https://a.example', title: 'A' },
        { url: 'https://b.example', title: 'B' },
      ],
    });
  });

  it('keeps a refusal apart from the text, and has none otherwise', () => {
    expect(foldEvents([start, { type: 'refusal', text: 'No.' }, end])).toMatchObject({ text: '', refusal: 'No.' });
    expect(foldEvents([start, end])).not.toHaveProperty('refusal');
  });

  it('does not depend on how the text was cut', () => {
    const pieces = fc.array(fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(pieces, pieces, (thoughts, words) => {
        const result = foldEvents([
          start,
          { type: 'reasoning-start', block: 0 },
          ...thoughts.map((text): TurnEvent => ({ type: 'reasoning-delta', block: 0, text })),
          { type: 'reasoning-end', block: 0 },
          { type: 'text-start', block: 1 },
          ...words.map((text): TurnEvent => ({ type: 'text-delta', block: 1, text })),
          { type: 'text-end', block: 1 },
          end,
        ]);
        expect([result.reasoning, result.text]).toEqual([thoughts.join(''), words.join('')]);
      }),
    );
  });

  it('keeps two turns apart', () => {
    const one = createEventFold();
    const two = createEventFold();
    for (const fold of [one, two])
      for (const event of [start, { type: 'text-start', block: 0 } as const]) fold.push(event);
    one.push({ type: 'text-delta', block: 0, text: 'one' });
    two.push({ type: 'text-delta', block: 0, text: 'two' });
    for (const fold of [one, two]) for (const event of [{ type: 'text-end', block: 0 } as const, end]) fold.push(event);
    expect([one.result().text, two.result().text]).toEqual(['one', 'two']);
  });
});
