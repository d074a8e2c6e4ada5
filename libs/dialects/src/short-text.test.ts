import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import {
  anthropicMessages,
  decodeAnthropicCountRequest,
  decodeEmbeddingRequest,
  decodeImageRequest,
  openAiChat,
  openAiCompletions,
  openAiResponses,
  type ClientCodecContext,
} from './index.ts';

const context: ClientCodecContext = { now: () => 0, newId: () => 'id', seal: String, unseal: () => undefined };
const messages = [{ role: 'user', content: 'Hi' }];

type Decode = (fields: Record<string, unknown>) => unknown;
const decoders: readonly (readonly [string, Decode])[] = [
  ['chat', (fields) => openAiChat.decodeRequest({ messages, ...fields }, context)],
  ['completions', (fields) => openAiCompletions.decodeRequest({ prompt: 'Hi', ...fields }, context)],
  ['responses', (fields) => openAiResponses.decodeRequest({ input: 'Hi', ...fields }, context)],
  ['messages', (fields) => anthropicMessages.decodeRequest({ max_tokens: 9, messages, ...fields }, context)],
  ['count_tokens', (fields) => decodeAnthropicCountRequest({ messages, ...fields }, context)],
  ['embeddings', (fields) => decodeEmbeddingRequest({ input: 'Hi', ...fields })],
  ['images', (fields) => decodeImageRequest({ prompt: 'Hi', ...fields })],
];

function faultOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    return { code: error.code, message: error.message, ...error.details };
  }
  return undefined;
}
const tooLong = (param: string): unknown =>
  expect.objectContaining({ code: 'invalid_request', layer: 'client', param, reason: 'invalid_value' });

describe.each(decoders)('a short text of %s', (name, decode) => {
  it('may be a model’s name of 256 characters, and no longer', () => {
    expect(faultOf(() => decode({ model: 'x'.repeat(256) }))).toBeUndefined();
    const fault = faultOf(() => decode({ model: 'x'.repeat(257) }));
    expect(fault).toEqual(tooLong('model'));
    expect(fault).toHaveProperty('message', "Invalid value for 'model': expected at most 256 characters.");
  });

  it('ends an answer when it has at most 512 characters', () => {
    const field = { chat: 'stop', completions: 'stop', messages: 'stop_sequences' }[name];
    if (field === undefined) return;
    expect(faultOf(() => decode({ [field]: ['x'.repeat(512)] }))).toBeUndefined();
    expect(faultOf(() => decode({ [field]: ['x'.repeat(513)] }))).toEqual(tooLong(`${field}[0]`));
    expect(faultOf(() => decode({ [field]: Array.from({ length: 65 }, String) }))).toEqual(tooLong(field));
  });

  it('is bounded where answers repeat it', () => {
    if (name !== 'responses') return;
    for (const field of ['user', 'safety_identifier', 'prompt_cache_key', 'service_tier', 'previous_response_id']) {
      expect(faultOf(() => decode({ [field]: 'x'.repeat(513) }))).toEqual(tooLong(field));
    }
    expect(faultOf(() => decode({ metadata: { a: 'x'.repeat(8_000) } }))).toBeUndefined();
    expect(faultOf(() => decode({ metadata: { a: 'x'.repeat(20_000) } }))).toEqual(tooLong('metadata'));
  });
});
