import type { ClientDialect } from '../client-dialect.ts';
import { decodeAnthropicMessagesRequest } from './decode-request.ts';
import { encodeAnthropicError, encodeAnthropicErrorFrame } from './encode-error.ts';
import { encodeAnthropicMessagesResponse } from './encode-response.ts';
import { createAnthropicMessagesStreamEncoder } from './encode-stream.ts';

/** Anthropic Messages (contract 3). */
export const anthropicMessages: ClientDialect = {
  name: 'anthropic-messages',
  decodeRequest(body, context) {
    const { thinkingDisplay, ...decoded } = decodeAnthropicMessagesRequest(body, context);
    const form = { thinkingDisplay, seal: context.seal };
    return {
      ...decoded,
      createStreamEncoder: (answer) => createAnthropicMessagesStreamEncoder(form, answer),
      encodeResponse: (result) => encodeAnthropicMessagesResponse(result, form),
    };
  },
  encodeError: encodeAnthropicError,
  encodeErrorFrame: encodeAnthropicErrorFrame,
};
