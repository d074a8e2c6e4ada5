import type { ClientDialect } from '../client-dialect.ts';
import { readResponseRequest } from './decode-request.ts';
import { encodeResponsesError, encodeResponsesErrorFrame } from './encode-error.ts';

/** OpenAI Responses (contract 2). On its own it keeps nothing: what a request refers to is looked up by a service that does. */
export const openAiResponses: ClientDialect = {
  name: 'openai-responses',
  decodeRequest: (body, context) => readResponseRequest(body).decode(context, { items: new Map() }),
  encodeError: encodeResponsesError,
  encodeErrorFrame: encodeResponsesErrorFrame,
};
