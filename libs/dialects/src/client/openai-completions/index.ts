import type { ClientDialect } from '../client-dialect.ts';
import { encodeOpenAiError, encodeOpenAiErrorFrame } from '../encode-openai-error.ts';
import { decodeOpenAiCompletionsRequest } from './decode-request.ts';
import { encodeOpenAiCompletionsResponse } from './encode-response.ts';
import { createOpenAiCompletionsStreamEncoder } from './encode-stream.ts';

/** OpenAI's legacy Completions (contract 4.2). */
export const openAiCompletions: ClientDialect = {
  name: 'openai-completions',
  decodeRequest(body) {
    const { form, ...decoded } = decodeOpenAiCompletionsRequest(body);
    return {
      ...decoded,
      createStreamEncoder: () => createOpenAiCompletionsStreamEncoder(form),
      encodeResponse: (result) => encodeOpenAiCompletionsResponse(result, form),
    };
  },
  encodeError: encodeOpenAiError,
  encodeErrorFrame: encodeOpenAiErrorFrame,
};
