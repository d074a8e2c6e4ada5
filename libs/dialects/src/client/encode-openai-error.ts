import type { ErrorCode, TurnError } from '@zai2api/turn';
import type { EncodedError } from './client-dialect.ts';
import { encodeErrorHeaders } from './encode-error-headers.ts';

/** The error object of every OpenAI endpoint, in bodies and in streams: always all four keys. */
export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

interface ErrorRow {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param?: string;
}

const invalid = 'invalid_request_error';
const limited = 'rate_limit_error';
const refused = 'permission_error';
const unavailable = 'service_unavailable_error';
const failed = 'server_error';

/** (contract 5.1) */
const rows: Record<ErrorCode, ErrorRow> = {
  invalid_request: { status: 400, type: invalid, code: null },
  unsupported: { status: 400, type: invalid, code: 'unsupported_parameter' },
  unauthenticated: { status: 401, type: invalid, code: 'invalid_api_key' },
  forbidden: { status: 403, type: refused, code: 'insufficient_permissions' },
  model_not_found: { status: 404, type: invalid, code: 'model_not_found', param: 'model' },
  not_found: { status: 404, type: invalid, code: null },
  method_not_allowed: { status: 405, type: invalid, code: 'method_not_allowed' },
  request_too_large: { status: 413, type: invalid, code: 'request_too_large' },
  unsupported_media_type: { status: 415, type: invalid, code: 'unsupported_media_type' },
  content_refused: { status: 400, type: invalid, code: 'content_policy_violation' },
  rate_limited: { status: 429, type: limited, code: 'rate_limit_exceeded' },
  no_capacity: { status: 503, type: unavailable, code: 'server_is_overloaded' },
  shutting_down: { status: 503, type: unavailable, code: 'shutting_down' },
  upstream_busy: { status: 429, type: limited, code: 'rate_limit_exceeded' },
  upstream_forbidden: { status: 403, type: refused, code: 'model_not_allowed' },
  upstream_challenged: { status: 503, type: unavailable, code: 'upstream_challenge' },
  upstream_blocked: { status: 502, type: failed, code: 'upstream_blocked' },
  upstream_drifted: { status: 502, type: failed, code: 'upstream_contract_changed' },
  upstream_failed: { status: 502, type: failed, code: 'upstream_error' },
  upstream_unreachable: { status: 502, type: failed, code: 'upstream_error' },
  upstream_timeout: { status: 504, type: failed, code: 'upstream_timeout' },
  // Nobody reads this one: the status is for logs and metrics.
  cancelled: { status: 499, type: invalid, code: 'cancelled' },
  internal: { status: 500, type: failed, code: 'internal_error' },
};

/** Finer codes that change more than the code of their row (contract 5.1). */
const reasonTypes: ReadonlyMap<string, string> = new Map([['insufficient_quota', 'insufficient_quota']]);

/** The error as the last frame of an event stream (contract 1.4). */
export function encodeOpenAiErrorFrame(error: TurnError): string {
  return `data: ${JSON.stringify(encodeOpenAiErrorBody(error))}\n\n`;
}

/** The body alone. `details.reason` takes the place of the table's code. */
export function encodeOpenAiErrorBody(error: TurnError): OpenAiErrorBody {
  const row = rows[error.code];
  const { reason, param } = error.details;
  return {
    error: {
      message: error.message,
      type: reasonTypes.get(reason ?? '') ?? row.type,
      param: param ?? row.param ?? null,
      code: reason ?? row.code,
    },
  };
}

/** Status, headers and body of a failure (contract 5.1). */
export function encodeOpenAiError(error: TurnError): EncodedError {
  return {
    status: rows[error.code].status,
    headers: encodeErrorHeaders(error),
    body: encodeOpenAiErrorBody(error),
  };
}
