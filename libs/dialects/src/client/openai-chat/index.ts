import type { ClientDialect } from '../client-dialect.ts';
import { decodeOpenAiChatRequest } from './decode-request.ts';
import { encodeOpenAiError, encodeOpenAiErrorFrame } from '../encode-openai-error.ts';
import { encodeOpenAiChatResponse } from './encode-response.ts';
import { createOpenAiChatStreamEncoder } from './encode-stream.ts';

/** OpenAI Chat Completions (contract 1). */
export const openAiChat: ClientDialect = {
  name: 'openai-chat',
  decodeRequest(body) {
    const { form, ...decoded } = decodeOpenAiChatRequest(body);
    return {
      ...decoded,
      createStreamEncoder: () => createOpenAiChatStreamEncoder(form),
      encodeResponse: (result) => encodeOpenAiChatResponse(result, form),
    };
  },
  encodeError: encodeOpenAiError,
  encodeErrorFrame: encodeOpenAiErrorFrame,
};
