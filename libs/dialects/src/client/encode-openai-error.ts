import type { ErrorCode, TurnError } from '@zai2api/turn';
import type { EncodedError } from './client-dialect.ts';

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
  /** Official clients retry 408, 409, 429 and 5xx by themselves: said where that can only do harm. */
  readonly doNotRetry?: true;
  /** `Retry-After` when nobody knows better. */
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A 429 without `Retry-After` fails the turn of some clients (contract 0.10); one second is the least that can be said. */
const DEFAULT_BUSY_SECONDS = 1;
/** A credential that cools down or is being fetched is back within seconds. */
const DEFAULT_NO_CAPACITY_SECONDS = 5;
/** Nobody solves the verification for us: it goes away by time alone, if at all. */
const DEFAULT_CHALLENGE_SECONDS = 300;

const invalid = 'invalid_request_error';
const limited = 'rate_limit_error';
const refused = 'permission_error';
const unavailable = 'service_unavailable_error';
const failed = 'server_error';

/** (contract 5.1) */
const rows: Record<ErrorCode, ErrorRow> = {
  invalid_request: { status: 400, type: invalid, code: null },
  unsupported: { status: 400, type: invalid, code: 'unsupported_parameter' },
  unauthenticated: {
    status: 401,
    type: invalid,
    code: 'invalid_api_key',
    headers: { 'www-authenticate': 'Bearer' },
  },
  forbidden: { status: 403, type: refused, code: 'insufficient_permissions' },
  model_not_found: { status: 404, type: invalid, code: 'model_not_found', param: 'model' },
  not_found: { status: 404, type: invalid, code: null },
  method_not_allowed: { status: 405, type: invalid, code: 'method_not_allowed' },
  request_too_large: {
    status: 413,
    type: invalid,
    code: 'request_too_large',
    headers: { connection: 'close' },
  },
  unsupported_media_type: { status: 415, type: invalid, code: 'unsupported_media_type' },
  content_refused: { status: 400, type: invalid, code: 'content_policy_violation' },
  rate_limited: {
    status: 429,
    type: limited,
    code: 'rate_limit_exceeded',
    retryAfterSeconds: DEFAULT_BUSY_SECONDS,
  },
  no_capacity: {
    status: 503,
    type: unavailable,
    code: 'server_is_overloaded',
    retryAfterSeconds: DEFAULT_NO_CAPACITY_SECONDS,
  },
  shutting_down: {
    status: 503,
    type: unavailable,
    code: 'shutting_down',
    retryAfterSeconds: 1,
    headers: { connection: 'close' },
  },
  upstream_busy: {
    status: 429,
    type: limited,
    code: 'rate_limit_exceeded',
    retryAfterSeconds: DEFAULT_BUSY_SECONDS,
  },
  upstream_forbidden: { status: 403, type: refused, code: 'model_not_allowed' },
  upstream_challenged: {
    status: 503,
    type: unavailable,
    code: 'upstream_challenge',
    doNotRetry: true,
    retryAfterSeconds: DEFAULT_CHALLENGE_SECONDS,
  },
  upstream_blocked: { status: 502, type: failed, code: 'upstream_blocked', doNotRetry: true },
  upstream_drifted: { status: 502, type: failed, code: 'upstream_contract_changed', doNotRetry: true },
  upstream_failed: { status: 502, type: failed, code: 'upstream_error' },
  upstream_unreachable: { status: 502, type: failed, code: 'upstream_error' },
  upstream_timeout: { status: 504, type: failed, code: 'upstream_timeout' },
  // Nobody reads this one: the status is for logs and metrics.
  cancelled: { status: 499, type: invalid, code: 'cancelled' },
  internal: { status: 500, type: failed, code: 'internal_error' },
};

/** Finer codes that change more than the code of their row (contract 1.5, 5.1). */
const reasonRows: ReadonlyMap<string, { readonly type?: string; readonly doNotRetry: true }> = new Map([
  ['insufficient_quota', { type: 'insufficient_quota', doNotRetry: true as const }],
  ['tool_choice_not_satisfied', { doNotRetry: true as const }],
  ['invalid_tool_call', { doNotRetry: true as const }],
  ['tool_call_loop', { doNotRetry: true as const }],
  ['invalid_structured_output', { doNotRetry: true as const }],
]);

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
      type: reasonRows.get(reason ?? '')?.type ?? row.type,
      param: param ?? row.param ?? null,
      code: reason ?? row.code,
    },
  };
}

/**
 * Status, headers and body of a failure (contract 5.1). `retry-after` is whole seconds, at least 1, and stands on every 429 and 503;
 * `retry-after-ms` only when the time is known; `x-error-layer` says where the failure began: client, gateway, pool, upstream or
 * internal.
 */
export function encodeOpenAiError(error: TurnError): EncodedError {
  const row = rows[error.code];
  const { reason, retryAfterSeconds } = error.details;
  const doNotRetry = row.doNotRetry ?? reasonRows.get(reason ?? '')?.doNotRetry;
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'x-error-layer': error.details.layer,
    ...row.headers,
  };
  const known =
    retryAfterSeconds !== undefined && Number.isFinite(retryAfterSeconds) ? Math.max(0, retryAfterSeconds) : undefined;
  const seconds = known ?? row.retryAfterSeconds;
  if (seconds !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(seconds)));
  if (known !== undefined) headers['retry-after-ms'] = String(Math.max(1, Math.ceil(known * 1000)));
  if (doNotRetry) headers['x-should-retry'] = 'false';
  return { status: row.status, headers, body: encodeOpenAiErrorBody(error) };
}
