import type { ClientDialect } from '../client-dialect.ts';
import { readResponseRequest } from './decode-request.ts';
import { encodeResponsesError, encodeResponsesErrorFrame } from './encode-error.ts';

/**
 * OpenAI Responses (contract 2). On its own it keeps nothing, and its answers say so: what a request refers to is looked up, and what it
 * wants kept is kept, by a service that has a store.
 */
export const openAiResponses: ClientDialect = {
  name: 'openai-responses',
  decodeRequest(body, context) {
    const decoded = readResponseRequest(body).decode(context, { items: new Map() });
    decoded.forgoStore();
    return decoded;
  },
  encodeError: encodeResponsesError,
  encodeErrorFrame: encodeResponsesErrorFrame,
};
