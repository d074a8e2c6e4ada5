import { describe, expect, it } from '@jest/globals';
import type { TurnResult } from '@zai2api/turn';
import { encodeOpenAiChatResponse as encodeIn } from './encode-response.ts';

const encodeOpenAiChatResponse = (answer: TurnResult, legacyFunctions = false) => encodeIn(answer, { legacyFunctions });

const result: TurnResult = {
  id: '1',
  model: 'GLM-5-thinking',
  createdAt: 1_764_000_000_999,
  warnings: [],
  blocks: [],
  reasoning: '',
  text: '',
  toolCalls: [],
  sources: [],
  finishReason: 'stop',
  usage: { inputTokens: 12, outputTokens: 9, cachedInputTokens: 3, reasoningTokens: 4, exactness: 'exact' },
};
const call = { callId: 'call_a', name: 'find', argumentsText: '' };

describe('encodeOpenAiChatResponse', () => {
  it('is exactly this when the model produced nothing', () => {
    expect(encodeOpenAiChatResponse(result)).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_764_000_000,
      model: 'GLM-5-thinking',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: '', refusal: null },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 9,
        total_tokens: 21,
        prompt_tokens_details: { cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 4 },
      },
    });
  });

  it.each<[Partial<TurnResult>, object, string]>([
    [{ text: 'Hi', reasoning: 'hm' }, { content: 'Hi', reasoning_content: 'hm' }, 'stop'],
    [{ text: 'Hi', finishReason: 'length' }, { content: 'Hi' }, 'length'],
    [{ finishReason: 'content-filter' }, { content: '' }, 'content_filter'],
    [
      { toolCalls: [call] },
      { content: null, tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'find', arguments: '{}' } }] },
      'tool_calls',
    ],
    [
      { text: 'See', toolCalls: [{ ...call, argumentsText: '{"q":1}' }], finishReason: 'length' },
      {
        content: 'See',
        tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'find', arguments: '{"q":1}' } }],
      },
      'tool_calls',
    ],
    [
      { text: 'Hi', sources: [{ url: 'https://a.example', title: 'A' }] },
      {
        content: 'Hi',
        annotations: [
          {
            type: 'url_citation',
            url_citation: { url: 'https://a.example', title: 'A', start_index: 0, end_index: 0 },
          },
        ],
      },
      'stop',
    ],
    [{ refusal: 'No.' }, { content: null, refusal: 'No.' }, 'stop'],
    [
      { refusal: 'No.', text: 'Hi', reasoning: 'hm' },
      { content: 'Hi', refusal: 'No.', reasoning_content: 'hm' },
      'stop',
    ],
  ])('%j', (changes, message, reason) => {
    expect(encodeOpenAiChatResponse({ ...result, ...changes })).toMatchObject({
      choices: [{ message: { role: 'assistant', refusal: null, ...message }, finish_reason: reason }],
    });
  });

  it('gives the first call in the shape of old where functions were used', () => {
    const changes = { toolCalls: [call, { ...call, name: 'other' }], finishReason: 'tool-calls' } as const;
    expect(encodeOpenAiChatResponse({ ...result, ...changes }, true)).toMatchObject({
      choices: [
        {
          message: {
            role: 'assistant',
            content: null,
            refusal: null,
            function_call: { name: 'find', arguments: '{}' },
          },
          finish_reason: 'function_call',
        },
      ],
    });
    expect(JSON.stringify(encodeOpenAiChatResponse({ ...result, ...changes }, true))).not.toContain('tool_calls');
    expect(encodeOpenAiChatResponse({ ...result, text: 'Hi' }, true)).toEqual(
      encodeOpenAiChatResponse({ ...result, text: 'Hi' }),
    );
  });
});
