import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createEventChecker } from './check-events.ts';
import { TurnError } from './turn-error.ts';
import type { TurnEvent } from './turn-event.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const error: TurnEvent = { type: 'turn-error', error: new TurnError('internal', 'x', { layer: 'internal' }) };
const textStart = (block: number): TurnEvent => ({ type: 'text-start', block });
const textDelta = (block: number, text = 'a'): TurnEvent => ({ type: 'text-delta', block, text });
const textEnd = (block: number): TurnEvent => ({ type: 'text-end', block });
const refusal: TurnEvent = { type: 'refusal', text: 'No.' };
const source: TurnEvent = { type: 'source', url: 'https://a.example', title: '' };

function check(events: readonly TurnEvent[]): void {
  const checker = createEventChecker();
  for (const event of events) checker.push(event);
  checker.end();
}

describe('the order rules', () => {
  it.each<[string, TurnEvent[]]>([
    ['the stream has no turn-end and no turn-error', []],
    ['the stream has no turn-end and no turn-error', [start]],
    ['turn-end: the first event is turn-start', [end]],
    ['source: the first event is turn-start', [source, start, end]],
    ['text-start: the first event is turn-start', [textStart(0)]],
    ['turn-start: there is one turn-start', [start, start]],
    ['turn-start: nothing may follow the end', [start, end, start]],
    ['turn-end: nothing may follow the end', [start, end, end]],
    ['turn-error: nothing may follow the end', [start, end, error]],
    ['turn-end: nothing may follow the end', [error, end]],
    ['text-delta: block 0 is not the open text block', [start, textDelta(0)]],
    ['text-delta: block 1 is not the open text block', [start, textStart(0), textDelta(1)]],
    [
      'reasoning-delta: block 0 is not the open reasoning block',
      [start, textStart(0), { type: 'reasoning-delta', block: 0, text: 'a' }],
    ],
    [
      'tool-call-delta: block 0 is not the open tool-call block',
      [start, textStart(0), { type: 'tool-call-delta', block: 0, argumentsText: 'a' }],
    ],
    ['text-delta: a delta is never empty', [start, textStart(0), textDelta(0, '')]],
    [
      'tool-call-delta: a delta is never empty',
      [
        start,
        { type: 'tool-call-start', block: 0, callId: 'c', name: 'f' },
        { type: 'tool-call-delta', block: 0, argumentsText: '' },
      ],
    ],
    ['text-end: block 0 is not the open text block', [start, textEnd(0)]],
    ['text-end: block 0 is not the open text block', [start, textStart(0), textEnd(0), textEnd(0)]],
    [
      'reasoning-end: block 0 is not the open reasoning block',
      [start, textStart(0), { type: 'reasoning-end', block: 0 }],
    ],
    [
      'tool-call-end: block 0 is not the open tool-call block',
      [start, textStart(0), { type: 'tool-call-end', block: 0 }],
    ],
    ['text-delta: block 0 is not the open text block', [start, textStart(0), textEnd(0), textDelta(0)]],
    ['text-start: block 0 is still open', [start, textStart(0), textStart(1)]],
    ['text-start: block 0 does not rise above 0', [start, textStart(0), textEnd(0), textStart(0)]],
    ['text-start: block 1 does not rise above 5', [start, textStart(5), textEnd(5), textStart(1)]],
    ['turn-end: block 0 is still open', [start, textStart(0), end]],
    ['refusal: the first event is turn-start', [refusal]],
    ['refusal: block 0 is still open', [start, textStart(0), refusal]],
    ['refusal: there is one refusal', [start, refusal, refusal]],
    ['refusal: a delta is never empty', [start, { type: 'refusal', text: '' }]],
  ])('%s', (message, events) => {
    expect(() => check(events)).toThrow(message);
  });

  it.each<[string, TurnEvent[]]>([
    ['an empty answer', [start, end]],
    ['an error before anything', [error]],
    ['an error in an open block', [start, textStart(0), textDelta(0), error]],
    ['a source in an open block', [start, textStart(0), source, textDelta(0), textEnd(0), source, end]],
    ['a refusal alone', [start, refusal, end]],
    ['a refusal behind a block', [start, textStart(0), textEnd(0), refusal, end]],
    [
      'a block without deltas and a gap in the numbers',
      [start, textStart(3), textEnd(3), textStart(9), textEnd(9), end],
    ],
    [
      'all kinds of blocks',
      [
        start,
        { type: 'reasoning-start', block: 0 },
        { type: 'reasoning-delta', block: 0, text: 'a' },
        { type: 'reasoning-end', block: 0, summary: 'Thought for 2 seconds' },
        { type: 'tool-call-start', block: 1, callId: 'c', name: 'f' },
        { type: 'tool-call-delta', block: 1, argumentsText: '{}' },
        { type: 'tool-call-end', block: 1 },
        textStart(2),
        textDelta(2),
        textEnd(2),
        end,
      ],
    ],
  ])('allow %s', (_name, events) => {
    expect(() => check(events)).not.toThrow();
  });

  it('notice any event of a good stream that is lost, except deltas and sources', () => {
    const good = [start, textStart(0), textDelta(0), textEnd(0), textStart(1), textDelta(1), textEnd(1), end];
    const structural = good.flatMap((event, index) => (event.type === 'text-delta' ? [] : [index]));
    fc.assert(
      fc.property(fc.constantFrom(...structural), (lost) => {
        expect(() => check(good.filter((_, index) => index !== lost))).toThrow();
      }),
    );
  });
});
