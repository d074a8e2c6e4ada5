/** How the product must answer one failure of the upstream that comes before any content (architecture 5, contract 5.1). */
export interface EarlyFailure {
  /** A scenario of the fake upstream, or one of its faults. */
  readonly fault: string;
  readonly status: number;
  readonly type: string;
  readonly code: string;
  /** Seconds; null where none is promised. */
  readonly retryAfter: number | null;
  /** True where official clients are told not to try again. */
  readonly doNotRetry: boolean;
  /** Completions that the upstream sees for one turn on a pool of one identity. */
  readonly tries: number;
}

const unavailable = 'service_unavailable_error';
const limited = 'rate_limit_error';
const failed = 'server_error';
const refused = 'permission_error';
const invalid = 'invalid_request_error';

const challenge = {
  status: 503,
  type: unavailable,
  code: 'upstream_challenge',
  retryAfter: 60,
  doNotRetry: true,
  tries: 1,
};
const outdated = {
  status: 502,
  type: failed,
  code: 'frontend_version_outdated',
  retryAfter: null,
  doNotRetry: true,
  tries: 2,
};
const busy = { status: 429, type: limited, code: 'model_busy', retryAfter: 10, doNotRetry: false, tries: 1 };
const transient = { status: 502, type: failed, code: 'upstream_error', retryAfter: null, doNotRetry: false, tries: 2 };
const blocked = { status: 502, type: failed, code: 'upstream_blocked', retryAfter: 60, doNotRetry: true, tries: 1 };
const changed = {
  status: 502,
  type: failed,
  code: 'upstream_contract_changed',
  retryAfter: null,
  doNotRetry: true,
  tries: 1,
};
const crowded = {
  status: 429,
  type: limited,
  code: 'upstream_concurrency',
  retryAfter: 5,
  doNotRetry: false,
  tries: 1,
};
const tooFast = {
  status: 429,
  type: limited,
  code: 'upstream_rate_limited',
  retryAfter: 30,
  doNotRetry: false,
  tries: 1,
};
/** The pool replaces a dead identity, so there is another one to try, as often as guests may be asked for at once. */
const unauthorized = {
  status: 502,
  type: failed,
  code: 'upstream_unauthorized',
  retryAfter: null,
  doNotRetry: false,
  tries: 3,
};

/** Every class of error before content, in a stream and over HTTP (protocol 8.1, 8.2). */
export const earlyFailures: readonly EarlyFailure[] = [
  { fault: 'error-challenge', ...challenge },
  { fault: 'error-challenge-failed', ...challenge },
  { fault: 'error-challenge-verification', ...challenge },
  { fault: 'error-detail-object', ...challenge },
  { fault: 'error-flat', ...challenge },
  { fault: '403-challenge', ...challenge },
  { fault: 'error-stale-version', ...outdated },
  { fault: 'error-stale-version-text', ...outdated },
  { fault: 'error-stale-version-426', ...outdated },
  { fault: '426', ...outdated },
  { fault: 'bad-signature', ...outdated, code: 'signature_rejected' },
  { fault: 'error-concurrency', ...crowded },
  { fault: 'error-nested', ...crowded },
  { fault: 'error-model-busy', ...busy },
  { fault: 'error-model-busy-text', ...busy },
  { fault: 'error-top-level', ...busy },
  { fault: '429', ...tooFast },
  { fault: '429-html', ...tooFast },
  {
    fault: 'error-level',
    status: 403,
    type: refused,
    code: 'model_not_allowed',
    retryAfter: null,
    doNotRetry: false,
    tries: 1,
  },
  {
    fault: '403',
    status: 403,
    type: refused,
    code: 'upstream_forbidden',
    retryAfter: null,
    doNotRetry: false,
    tries: 1,
  },
  {
    fault: 'error-sensitive',
    status: 400,
    type: invalid,
    code: 'content_policy_violation',
    retryAfter: null,
    doNotRetry: false,
    tries: 1,
  },
  {
    fault: 'error-model-not-found',
    status: 404,
    type: invalid,
    code: 'model_not_found',
    retryAfter: null,
    doNotRetry: false,
    tries: 1,
  },
  { fault: 'error-auth', ...unauthorized },
  { fault: 'error-auth-invalid-token', ...unauthorized },
  { fault: '401', ...unauthorized },
  { fault: 'error-internal', ...transient },
  { fault: 'error-inner', ...transient },
  { fault: 'error-chat-error', ...transient },
  { fault: 'error-event', ...transient },
  { fault: 'json-without-data', ...transient },
  { fault: 'empty', ...transient, code: 'empty_answer' },
  { fault: '500', ...transient },
  { fault: '502', ...transient },
  { fault: '503', ...transient },
  { fault: '504', ...transient },
  { fault: 'reset', ...transient },
  { fault: 'waf', ...blocked },
  { fault: 'not-json', ...blocked },
  { fault: '400', ...changed },
  { fault: '404', ...changed },
  { fault: '405', ...changed },
  { fault: '422', ...changed },
  { fault: 'empty-object', ...transient, tries: 1 },
];
