import { describe, expect, it } from '@jest/globals';
import { createEventChecker, type FinishReason, type TurnEvent } from '@zai2api/turn';
import { createSourceListStage } from './list-sources.ts';

const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const source: TurnEvent = { type: 'source', url: 'https://a.example/', title: 'A [draft]' };
const text: TurnEvent[] = [
  { type: 'text-start', block: 3 },
  { type: 'text-delta', block: 3, text: 'Hi' },
  { type: 'text-end', block: 3 },
];
const call: TurnEvent[] = [
  { type: 'tool-call-start', block: 4, callId: 'c', name: 'f' },
  { type: 'tool-call-end', block: 4 },
];

function list(events: readonly TurnEvent[], reason: FinishReason = 'stop'): string {
  const stage = createSourceListStage();
  const checker = createEventChecker();
  const shown = [start, ...events, { type: 'turn-end', reason, usage } as const].flatMap((event) => stage(event));
  for (const event of shown) checker.push(event);
  checker.end();
  return shown.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}

describe('the source list', () => {
  it('stands behind the text', () => {
    const second: TurnEvent = { type: 'source', url: 'https://b.example/', title: 'B' };
    expect(list([source, ...text, second])).toBe(
      'Hi\n\n**Sources**\n1. [A \\[draft\\]](https://a.example/)\n2. [B](https://b.example/)',
    );
  });

  it.each<[string, TurnEvent[], FinishReason, string]>([
    ['without sources', text, 'stop', 'Hi'],
    ['without text', [source], 'stop', ''],
    ['beside tool calls', [source, ...text, ...call], 'stop', 'Hi'],
    ['in an answer that was cut', [source, ...text], 'length', 'Hi'],
  ])('is left out %s', (_name, events, reason, shown) => {
    expect(list(events, reason)).toBe(shown);
  });
});
