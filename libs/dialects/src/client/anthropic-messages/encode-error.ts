import type { ErrorCode, TurnError } from '@zai2api/turn';
import type { EncodedError, ErrorContext } from '../client-dialect.ts';
import { encodeErrorHeaders } from '../encode-error-headers.ts';
import { encodeOpenAiErrorBody } from '../encode-openai-error.ts';

/** The types that official clients know. */
type AnthropicErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'overloaded_error'
  | 'api_error';

interface ErrorRow {
  readonly status: number;
  readonly type: AnthropicErrorType;
}

/** The status of an overloaded API in this dialect; official clients know it by a class of its own. */
const OVERLOADED = 529;

/** (contract 5.1) */
const rows: Record<ErrorCode, ErrorRow> = {
  invalid_request: { status: 400, type: 'invalid_request_error' },
  unsupported: { status: 400, type: 'invalid_request_error' },
  unauthenticated: { status: 401, type: 'authentication_error' },
  forbidden: { status: 403, type: 'permission_error' },
  model_not_found: { status: 404, type: 'not_found_error' },
  not_found: { status: 404, type: 'not_found_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  request_too_large: { status: 413, type: 'request_too_large' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  content_refused: { status: 400, type: 'invalid_request_error' },
  rate_limited: { status: 429, type: 'rate_limit_error' },
  no_capacity: { status: OVERLOADED, type: 'overloaded_error' },
  shutting_down: { status: OVERLOADED, type: 'overloaded_error' },
  upstream_busy: { status: 429, type: 'rate_limit_error' },
  upstream_forbidden: { status: 403, type: 'permission_error' },
  upstream_challenged: { status: OVERLOADED, type: 'overloaded_error' },
  upstream_blocked: { status: 500, type: 'api_error' },
  upstream_drifted: { status: 500, type: 'api_error' },
  upstream_failed: { status: 500, type: 'api_error' },
  upstream_unreachable: { status: 500, type: 'api_error' },
  upstream_timeout: { status: 504, type: 'timeout_error' },
  // Nobody reads this one: the status is for logs and metrics.
  cancelled: { status: 499, type: 'invalid_request_error' },
  internal: { status: 500, type: 'api_error' },
};

/** Finer codes with a status and type of their own (contract 5.1). */
const reasonRows: ReadonlyMap<string, ErrorRow> = new Map([
  ['insufficient_quota', { status: 402, type: 'billing_error' } as const],
]);

/** Codes that official clients read in the body, to help themselves. */
const readCodes: ReadonlySet<string> = new Set(['thread_not_found']);

/** The body of a failure, and of an event about it. */
interface ErrorBody {
  readonly type: 'error';
  readonly error: {
    readonly type: AnthropicErrorType;
    readonly message: string;
    readonly details?: { readonly error_code: string };
  };
}

/**
 * Status, headers and body of a failure (contract 3.6, 5.1). The body has no room for the code that failures have in other dialects: the
 * header `x-error-code` has it where there is one, and the message names the field.
 */
export function encodeAnthropicError(error: TurnError, { requestId }: ErrorContext = {}): EncodedError {
  const { code } = encodeOpenAiErrorBody(error).error;
  return {
    status: rowOf(error).status,
    headers: { ...encodeErrorHeaders(error), ...(code !== null && { 'x-error-code': code }) },
    body: { ...encodeBody(error), request_id: requestId ?? null },
  };
}

/** The error as the last event of a stream (contract 3.5). */
export function encodeAnthropicErrorFrame(error: TurnError): string {
  return `event: error\ndata: ${JSON.stringify(encodeBody(error))}\n\n`;
}

function encodeBody(error: TurnError): ErrorBody {
  const { reason = '' } = error.details;
  return {
    type: 'error',
    error: {
      type: rowOf(error).type,
      message: messageOf(error),
      ...(readCodes.has(reason) && { details: { error_code: reason } }),
    },
  };
}

function rowOf({ code, details }: TurnError): ErrorRow {
  return reasonRows.get(details.reason ?? '') ?? rows[code];
}

function messageOf({ message, details: { param, reason, overflow } }: TurnError): string {
  if (reason === 'context_length_exceeded') {
    // Coding agents look for exactly these words, and then shorten the conversation (contract 3.6).
    return overflow
      ? `prompt is too long: ${overflow.inputTokens} tokens > ${overflow.maxInputTokens} maximum`
      : 'prompt is too long';
  }
  return param === undefined || message.includes(param) ? message : `${param}: ${message}`;
}
