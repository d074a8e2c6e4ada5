import { describe, expect, it } from '@jest/globals';
import { builtInModels } from '@zai2api/dialects';
import { TurnError, type TurnRequest } from '@zai2api/turn';
import type { ModelRoute } from '../models/model-directory.ts';
import { placesThatFit, withLengths } from './fit-context.ts';

const [model] = builtInModels;
const place = (upstream: string, contextTokens?: number): ModelRoute => ({
  upstream,
  model: { ...model!, contextTokens },
});
const request = (length: number): TurnRequest => ({
  model: 'm',
  messages: [{ role: 'user', text: 'x'.repeat(length), attachments: [] }],
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { stop: [] },
});
const byCharacter = (text: string): number => text.length;

describe('placesThatFit', () => {
  const small = place('small', 100);
  const large = place('large', 1_000);
  const open = place('open');

  it.each<[number, readonly ModelRoute[], readonly ModelRoute[]]>([
    [100, [small, large], [small, large]],
    [101, [small, large], [large]],
    [101, [small, open], [open]],
    [1_000_000, [open], [open]],
    [5, [], []],
  ])('of %d tokens leaves those that take them', (length, places, fitting) => {
    expect(placesThatFit(places, request(length), byCharacter)).toEqual(fitting);
  });

  it('M16: says by how much it is too long for the longest', () => {
    expect(() => placesThatFit([small, large], request(1_001), byCharacter)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: expect.objectContaining({
          layer: 'client',
          param: 'messages',
          reason: 'context_length_exceeded',
          overflow: { inputTokens: 1_001, maxInputTokens: 1_000 },
        }),
      }),
    );
  });

  it('does not count what is short anyway', () => {
    const counted: string[] = [];
    placesThatFit([small], request(50), (text) => counted.push(text));
    expect(counted).toEqual([]);
  });
});

describe('withLengths', () => {
  const found = new TurnError('invalid_request', 'Too long.', {
    layer: 'upstream',
    param: 'messages',
    reason: 'context_length_exceeded',
  });
  const turn = { request: request(50), model: place('x', 100).model };

  it('M16: gives an upstream’s word the numbers that it lacks', () => {
    expect(withLengths(found, turn, byCharacter).details).toMatchObject({
      layer: 'upstream',
      overflow: { inputTokens: 101, maxInputTokens: 100 },
    });
  });

  it('leaves everything else alone', () => {
    const other = new TurnError('invalid_request', 'Wrong.', { layer: 'upstream' });
    expect(withLengths(other, turn, byCharacter)).toBe(other);
    expect(withLengths(found, { ...turn, model: place('x').model }, byCharacter)).toBe(found);
  });
});
