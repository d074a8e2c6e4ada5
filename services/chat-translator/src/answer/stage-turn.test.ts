import { describe, expect, it } from '@jest/globals';
import { builtInModels } from '@zai2api/dialects';
import { createEventChecker, type TurnEvent, type TurnRequest } from '@zai2api/turn';
import { Counter } from 'prom-client';
import type { DriverTurn } from '../upstream-driver.ts';
import { createTurnStages, type TurnStagesOptions } from './stage-turn.ts';

const usage = {
  inputTokens: 9,
  outputTokens: 9,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const batches: TurnEvent[][] = [
  [
    { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] },
    { type: 'reasoning-start', block: 0 },
    { type: 'reasoning-delta', block: 0, text: 'a stop b' },
    { type: 'reasoning-end', block: 0 },
    { type: 'source', url: 'https://a.example/', title: 'A' },
  ],
  [
    { type: 'text-start', block: 1 },
    { type: 'text-delta', block: 1, text: 'c d' },
    { type: 'text-delta', block: 1, text: ' stop e' },
    { type: 'text-end', block: 1 },
    { type: 'turn-end', reason: 'stop', usage },
  ],
];

async function run(
  sampling: Partial<TurnRequest['sampling']>,
  options: Partial<TurnStagesOptions> = {},
  request: Partial<TurnRequest> = {},
) {
  const tokens = new Counter({ name: 'tokens', help: 'x', labelNames: ['type', 'exactness'] as const, registers: [] });
  const turn = {
    model: { ...builtInModels[0]!, maxOutputTokens: 4 },
    request: {
      messages: [{ role: 'user', text: 'one two', attachments: [] }],
      tools: [],
      responseFormat: { type: 'text' },
      ...request,
      sampling: { stop: [], ...sampling },
    },
  } as unknown as DriverTurn;
  const stages = createTurnStages(turn, {
    rendering: 'separate',
    listsSources: false,
    tokens,
    countTokens: (text) => text.match(/\S+/g)?.length ?? 0,
    limitsTokens: true,
    ...options,
  });
  const checker = createEventChecker();
  let text = '';
  for (const batch of batches) {
    for (const event of stages.push(batch)) {
      checker.push(event);
      if (event.type === 'text-delta') text += event.text;
    }
  }
  checker.end();
  stages.close();
  const { values } = await tokens.get();
  const booked = values.map(({ labels, value }) => `${labels.type} ${labels.exactness} ${value}`);
  return { text, booked, finished: stages.finished };
}

describe('the stages of a turn', () => {
  it('let everything through by default', async () => {
    expect(await run({})).toEqual({ text: 'c d stop e', booked: ['input exact 9', 'output exact 9'], finished: false });
  });

  it('end it at a stop sequence and book what was sent', async () => {
    const booked = ['input estimated 2', 'output estimated 5', 'reasoning estimated 3'];
    expect(await run({ stop: [' stop'] })).toEqual({ text: 'c d', booked, finished: true });
  });

  it('count hidden thinking against the limit, and know the limit of the model', async () => {
    for (const maxOutputTokens of [4, 1_000_000]) {
      expect(await run({ maxOutputTokens }, { rendering: 'none' })).toMatchObject({ text: 'c', finished: true });
    }
  });

  it('list the sources on demand, but never behind JSON', async () => {
    const list = { listsSources: true };
    expect(await run({}, list)).toMatchObject({ text: 'c d stop e\n\n**Sources**\n1. [A](https://a.example/)' });
    expect(await run({ stop: [' stop'] }, list)).toMatchObject({ text: 'c d' });
    expect(await run({}, list, { responseFormat: { type: 'json-object' } })).toMatchObject({ text: 'c d stop e' });
  });

  it('see stop sequences in the text alone when thinking is shown in it', async () => {
    expect(await run({ stop: ['e'] }, { rendering: 'think' })).toMatchObject({
      text: '<think>a stop b</think>\n\nc d stop ',
    });
  });
});
