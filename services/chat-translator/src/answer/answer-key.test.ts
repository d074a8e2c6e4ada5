import { describe, expect, it } from '@jest/globals';
import { builtInModels } from '@zai2api/dialects';
import type { TurnRequest } from '@zai2api/turn';
import type { PreparedTurn } from '../turn/prepare-turn.ts';
import { answerKeysOf } from './answer-key.ts';

const request: TurnRequest = {
  model: 'm',
  messages: [{ role: 'user', text: 'hi', attachments: [] }],
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { temperature: 0, stop: [] },
};
const limit = { ms: 0, variable: '' };
const route = {
  upstream: 'web',
  model: builtInModels[0]!,
  thinking: false,
  timeouts: { idle: limit, firstToken: limit, total: limit },
};
const turn: PreparedTurn = { ...route, request, media: [], warnings: [], search: false, routes: [route] };
const image = (bytes: number[]) => ({
  kind: 'image' as const,
  bytes: Uint8Array.from(bytes),
  mediaType: 'image/png',
  filename: 'a.png',
  param: 'x',
});

const answerKeyOf = (asked: PreparedTurn, tenant: string): string | undefined => answerKeysOf(asked, tenant)?.answer;

describe('the key of an answer', () => {
  it('is the same for the same question of the same asker', () => {
    expect(answerKeyOf(structuredClone(turn), 'a')).toBe(answerKeyOf(turn, 'a'));
    expect(answerKeyOf(turn, 'a')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another one for whatever differs', () => {
    // Long texts with the same beginning.
    const long = 'x'.repeat(5_000);
    const say = (text: string): PreparedTurn => ({
      ...turn,
      request: { ...request, messages: [{ role: 'user', text, attachments: [] }] },
    });
    const keys = [
      answerKeyOf(turn, 'a'),
      answerKeyOf(turn, 'b'),
      answerKeyOf(say(`${long}1`), 'a'),
      answerKeyOf(say(`${long}2`), 'a'),
      answerKeyOf({ ...turn, thinking: true }, 'a'),
      answerKeyOf({ ...turn, request: { ...request, model: 'n' } }, 'a'),
      answerKeyOf({ ...turn, request: { ...request, reasoning: { visible: false } } }, 'a'),
      answerKeyOf({ ...turn, request: { ...request, sampling: { temperature: 0, stop: ['x'] } } }, 'a'),
      answerKeyOf({ ...turn, media: [image([1, 2])] }, 'a'),
      answerKeyOf({ ...turn, media: [image([1]), image([2])] }, 'a'),
      answerKeyOf({ ...turn, media: [image([1, 3])] }, 'a'),
    ];
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is of the question alone; that of its run is of the limits of each place, too', () => {
    const within = (variable: string): PreparedTurn['timeouts'] => ({
      ...route.timeouts,
      idle: { ms: 30_000, variable },
    });
    const keys = [
      turn,
      { ...turn, routes: [{ ...route, timeouts: within('ZAI_STREAM_TIMEOUT') }] as const },
      { ...turn, routes: [{ ...route, timeouts: within('ZAI_NON_STREAM_TIMEOUT') }] as const },
      { ...turn, routes: [route, { ...route, timeouts: within('ZAI_STREAM_TIMEOUT') }] as const },
    ].map((asked) => answerKeysOf(asked, 'a'));
    expect(new Set(keys.map((each) => each?.answer)).size).toBe(1);
    expect(new Set(keys.map((each) => each?.run)).size).toBe(keys.length);
  });

  it.each<[string, Partial<PreparedTurn>]>([
    ['samples', { request: { ...request, sampling: { temperature: 0.1, stop: [] } } }],
    ['says nothing of its temperature', { request: { ...request, sampling: { stop: [] } } }],
    ['has tools', { request: { ...request, tools: [{ name: 'f', parameters: {}, strict: false }] } }],
    ['searches the web', { search: true }],
  ])('is none for a turn that %s', (_what, changes) => {
    expect(answerKeyOf({ ...turn, ...changes }, 'a')).toBeUndefined();
  });
});
