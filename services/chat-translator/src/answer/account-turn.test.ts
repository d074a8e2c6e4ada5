import { describe, expect, it } from '@jest/globals';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import { Counter } from 'prom-client';
import { createTurnAccount } from './account-turn.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const thought: TurnEvent = { type: 'reasoning-delta', block: 0, text: 'abc' };
const text: TurnEvent = { type: 'text-delta', block: 1, text: 'de' };
const call: TurnEvent = { type: 'tool-call-delta', block: 2, argumentsText: '{}' };
const usage = {
  inputTokens: 100,
  outputTokens: 200,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const error: TurnEvent = { type: 'turn-error', error: new TurnError('cancelled', 'x', { layer: 'client' }) };

async function book(events: readonly TurnEvent[]): Promise<Record<string, number>> {
  const tokens = new Counter({ name: 'tokens', help: 'x', labelNames: ['type', 'exactness'] as const, registers: [] });
  const account = createTurnAccount({ tokens, countTokens: ({ length }) => length, countInput: () => 30 });
  for (const event of events) account.push(event);
  account.close();
  account.close();
  const { values } = await tokens.get();
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels.type} ${labels.exactness}`, value]));
}

describe('the account of a turn', () => {
  it.each<[string, TurnEvent[], Record<string, number>]>([
    ['of which nothing came', [], {}],
    ['that failed at once', [error], {}],
    ['that ended', [start, thought, text, end], { 'input exact': 100, 'output exact': 200 }],
    [
      'that broke off',
      [start, thought, text, call],
      { 'input estimated': 30, 'output estimated': 7, 'reasoning estimated': 3 },
    ],
    [
      'that failed',
      [start, thought, error],
      { 'input estimated': 30, 'output estimated': 3, 'reasoning estimated': 3 },
    ],
  ])('books a turn %s once', async (_name, events, expected) => {
    expect(await book(events)).toEqual(expected);
  });
});
