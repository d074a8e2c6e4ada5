import { describe, expect, it } from '@jest/globals';
import { foldEvents, TurnError, type TurnEvent } from '@zai2api/turn';
import type { OpenAiCompletionsForm } from './decode-request.ts';
import { encodeOpenAiCompletionsResponse } from './encode-response.ts';
import { createOpenAiCompletionsStreamEncoder } from './encode-stream.ts';

const usage = {
  inputTokens: 2,
  outputTokens: 3,
  cachedInputTokens: 0,
  reasoningTokens: 1,
  exactness: 'exact',
} as const;
const start: TurnEvent = { type: 'turn-start', id: 'a', model: 'glm-5', createdAt: 5_999, warnings: [] };
const answer: readonly TurnEvent[] = [
  start,
  { type: 'reasoning-start', block: 0 },
  { type: 'reasoning-delta', block: 0, text: 'hm' },
  { type: 'reasoning-end', block: 0 },
  { type: 'text-start', block: 1 },
  { type: 'text-delta', block: 1, text: 'one ' },
  { type: 'text-delta', block: 1, text: 'two' },
  { type: 'text-end', block: 1 },
  { type: 'source', url: 'https://a.test', title: 'A' },
  { type: 'turn-end', reason: 'length', usage },
];
const plain: OpenAiCompletionsForm = { includeUsage: false, echo: '' };

function encode(events: readonly TurnEvent[], form: OpenAiCompletionsForm = plain): string {
  const encoder = createOpenAiCompletionsStreamEncoder(form);
  return events.map((event) => encoder.push(event)).join('') + encoder.end();
}

const framesOf = (text: string): unknown[] =>
  text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice('data: '.length)) as unknown);

const chunk = (text: string, reason: string | null = null) => ({
  id: 'cmpl-a',
  object: 'text_completion',
  created: 5,
  model: 'glm-5',
  choices: [{ text, index: 0, logprobs: null, finish_reason: reason }],
});
const wireUsage = {
  prompt_tokens: 2,
  completion_tokens: 3,
  total_tokens: 5,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 1 },
};

describe('H05: a streamed completion', () => {
  it('is text, then a reason, then [DONE]; never a thought', () => {
    const text = encode(answer);
    expect(framesOf(text)).toEqual([chunk('one '), chunk('two'), chunk('', 'length')]);
    expect(text.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
  });

  it('begins with the prompt and ends with usage, where asked for', () => {
    const usageless = { usage: null };
    expect(framesOf(encode(answer, { includeUsage: true, echo: 'Once ' }))).toEqual([
      { ...chunk('Once '), ...usageless },
      { ...chunk('one '), ...usageless },
      { ...chunk('two'), ...usageless },
      { ...chunk('', 'length'), ...usageless },
      { ...chunk(''), choices: [], usage: wireUsage },
    ]);
  });

  it.each([
    ['an error', [{ type: 'turn-error', error: new TurnError('upstream_timeout', 'Late.', { layer: 'upstream' }) }]],
    ['nothing', []],
  ] as [string, TurnEvent[]][])('that ends in %s has an error frame and no [DONE]', (_what, end) => {
    const text = encode([start, ...end]);
    expect(framesOf(text)).toEqual([{ error: expect.objectContaining({ type: 'server_error' }) }]);
    expect(text).not.toContain('[DONE]');
  });
});

describe('H05: a whole completion', () => {
  it('says the same as the stream', () => {
    expect(encodeOpenAiCompletionsResponse(foldEvents(answer), { echo: 'Once ' })).toEqual({
      ...chunk('Once one two', 'length'),
      usage: wireUsage,
    });
  });
});
