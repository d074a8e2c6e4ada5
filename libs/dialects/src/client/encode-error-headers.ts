import type { ErrorCode, TurnError } from '@zai2api/turn';
import { unusableAnswerReasons } from '../stages/tool-errors.ts';

interface HeaderRow {
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

/** What is said beside status and body, whatever the dialect (contract 5.1). */
const rows: Partial<Record<ErrorCode, HeaderRow>> = {
  unauthenticated: { headers: { 'www-authenticate': 'Bearer' } },
  request_too_large: { headers: { connection: 'close' } },
  rate_limited: { retryAfterSeconds: DEFAULT_BUSY_SECONDS },
  no_capacity: { retryAfterSeconds: DEFAULT_NO_CAPACITY_SECONDS },
  shutting_down: { retryAfterSeconds: 1, headers: { connection: 'close' } },
  upstream_busy: { retryAfterSeconds: DEFAULT_BUSY_SECONDS },
  upstream_challenged: { doNotRetry: true, retryAfterSeconds: DEFAULT_CHALLENGE_SECONDS },
  upstream_blocked: { doNotRetry: true },
  upstream_drifted: { doNotRetry: true },
};

/** Finer codes after which a client should not try again by itself either (contract 1.5, 5.1). */
const finalReasons: ReadonlySet<string> = new Set(['insufficient_quota', ...unusableAnswerReasons]);

/**
 * The headers of a failure in any dialect. `retry-after` is whole seconds, at least 1, and stands wherever coming back may help;
 * `retry-after-ms` only when the time is known; `x-error-layer` says where the failure began: client, gateway, pool, upstream or internal.
 */
export function encodeErrorHeaders(error: TurnError): Record<string, string> {
  const row = rows[error.code] ?? {};
  const { reason = '', retryAfterSeconds, layer } = error.details;
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'x-error-layer': layer,
    ...row.headers,
  };
  const known =
    retryAfterSeconds !== undefined && Number.isFinite(retryAfterSeconds) ? Math.max(0, retryAfterSeconds) : undefined;
  const seconds = known ?? row.retryAfterSeconds;
  if (seconds !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(seconds)));
  if (known !== undefined) headers['retry-after-ms'] = String(Math.max(1, Math.ceil(known * 1000)));
  if (row.doNotRetry || finalReasons.has(reason)) headers['x-should-retry'] = 'false';
  return headers;
}
