import type { ClientDialect } from '../client-dialect.ts';
import { decodeOpenAiChatRequest } from './decode-request.ts';
import { encodeOpenAiError } from './encode-error.ts';
import { encodeOpenAiChatResponse } from './encode-response.ts';
import { createOpenAiChatStreamEncoder } from './encode-stream.ts';

/** OpenAI Chat Completions (contract 1). */
export const openAiChat: ClientDialect = {
  name: 'openai-chat',
  decodeRequest: decodeOpenAiChatRequest,
  createStreamEncoder: createOpenAiChatStreamEncoder,
  encodeResponse: encodeOpenAiChatResponse,
  encodeError: encodeOpenAiError,
};
