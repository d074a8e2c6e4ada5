import type { ErrorCode, TurnError } from '@zai2api/turn';
import type { EncodedError } from '../client-dialect.ts';
import { encodeOpenAiError, encodeOpenAiErrorBody, type OpenAiErrorBody } from '../encode-openai-error.ts';

/** `error` of a response that failed after it had begun. */
export interface ResponseError {
  readonly code: string;
  readonly message: string;
}

/** What clients read in a failed response; whatever is not here is the server's fault, and worth another try (contract 2.6, 2.9). */
const codes: Partial<Record<ErrorCode, string>> = {
  rate_limited: 'rate_limit_exceeded',
  upstream_busy: 'rate_limit_exceeded',
  no_capacity: 'server_is_overloaded',
  content_refused: 'invalid_prompt',
  invalid_request: 'invalid_prompt',
  unsupported: 'invalid_prompt',
};
/** Finer codes that clients read there, too. */
const readReasons: ReadonlySet<string> = new Set(['context_length_exceeded', 'insufficient_quota']);

/** Status, headers and body of a failure before anything was sent (contract 5.1). */
export function encodeResponsesError(error: TurnError): EncodedError {
  return { ...encodeOpenAiError(error), body: encodeBody(error) };
}

/** The failure of a response that had begun. Codex waits as long as the message of a rate limit says (contract 2.9). */
export function encodeResponseFailure(error: TurnError): ResponseError {
  const { reason = '', retryAfterSeconds } = error.details;
  const code = readReasons.has(reason) ? reason : (codes[error.code] ?? 'server_error');
  const wait =
    code === 'rate_limit_exceeded' && retryAfterSeconds !== undefined
      ? ` Please try again in ${Math.max(retryAfterSeconds, 0.1).toFixed(1)}s.`
      : '';
  return { code, message: error.message + wait };
}

/**
 * The error as the last frame of a stream that was cut, by somebody who does not know its response, nor, without a number, how far it had
 * counted: official clients take this event for an error wherever it comes, and Codex the missing end for a reason to try again.
 */
export function encodeResponsesErrorFrame(error: TurnError, sequenceNumber = 0): string {
  const { message, type, param, code } = encodeBody(error).error;
  const event = {
    type: 'error',
    sequence_number: sequenceNumber,
    code,
    message,
    param,
    error: { type, code, message, param },
  };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

function encodeBody(error: TurnError): OpenAiErrorBody {
  const { error: fields } = encodeOpenAiErrorBody(error);
  const code = fields.code === 'content_policy_violation' ? 'invalid_prompt' : fields.code;
  return { error: { ...fields, code, param: fields.param === 'messages' ? 'input' : fields.param } };
}
