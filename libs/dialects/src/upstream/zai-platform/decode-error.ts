import { TurnError, type ErrorCode, type Recovery } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { findResetTimeMs } from './reset-time.ts';
import { tryParseJson } from '../../try-parse-json.ts';

/** An error of the official API, in either of its two shapes (protocol 10.4). */
export interface PlatformFault {
  /** Digits, whether they came as a text or as a number; empty when there were none. */
  readonly code: string;
  /** Its own words: only to find the reset time of a limit in, never for clients. */
  readonly text: string;
}

interface FaultRow {
  readonly codes: readonly string[];
  readonly code: ErrorCode;
  readonly message: string;
  readonly reason?: string;
  readonly param?: string;
  readonly recovery?: Recovery;
  /** The limit is that of one model: others answer with the same key. */
  readonly reach?: 'model';
  readonly retryAfterSeconds?: number;
  /** The words may say when the limit ends. */
  readonly namesReset?: true;
}

const codeRange = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

/** When nothing tells when a spent allowance comes back. */
const QUOTA_RETRY_SECONDS = 3_600;

/**
 * A key that was found to break the fair-use policy is not used for a day: nothing says when the restriction ends, each further call may be
 * one of the three strikes before a ban (protocol 10.1), and only its owner can settle it.
 */
const FAIR_USE_RETRY_SECONDS = 24 * 3_600;

/** Every code of protocol 10.4. A new one is a row here and a fixture. */
const faultTable: readonly FaultRow[] = [
  {
    codes: codeRange(1000, 1005),
    code: 'upstream_failed',
    reason: 'upstream_unauthorized',
    message: 'The official API refused the API key.',
    recovery: 'other-credential',
  },
  {
    // Free models answer without any balance (protocol 10.6).
    codes: ['1113'],
    code: 'upstream_busy',
    reason: 'insufficient_quota',
    message:
      'The account of the official API has no balance or resource pack left for this model. Plan keys work on the Coding Plan base only.',
    recovery: 'other-credential',
    reach: 'model',
    retryAfterSeconds: QUOTA_RETRY_SECONDS,
  },
  {
    codes: ['1309'],
    code: 'upstream_busy',
    reason: 'insufficient_quota',
    message: 'The plan of the account of the official API has expired.',
    recovery: 'other-credential',
    retryAfterSeconds: QUOTA_RETRY_SECONDS,
  },
  {
    codes: ['1304', '1308', '1310', ...codeRange(1314, 1321)],
    code: 'upstream_busy',
    reason: 'insufficient_quota',
    message: 'The allowance of the account of the official API is used up for now.',
    recovery: 'other-credential',
    retryAfterSeconds: QUOTA_RETRY_SECONDS,
    namesReset: true,
  },
  {
    // Limits of concurrency and rate are those of a model and a tier (protocol 10.4).
    codes: ['1302'],
    code: 'upstream_busy',
    reason: 'upstream_concurrency',
    message: 'The account of the official API has reached its limit of concurrent requests to this model.',
    recovery: 'other-credential',
    reach: 'model',
    retryAfterSeconds: 5,
  },
  {
    codes: ['1303'],
    code: 'upstream_busy',
    reason: 'upstream_rate_limited',
    message: 'The official API limits the rate of the account’s requests to this model.',
    recovery: 'other-credential',
    reach: 'model',
    retryAfterSeconds: 5,
  },
  {
    codes: ['1305', '1312'],
    code: 'upstream_busy',
    reason: 'model_busy',
    message: 'The model is at capacity upstream. Try again shortly or choose another model.',
    retryAfterSeconds: 10,
  },
  {
    codes: ['1311'],
    code: 'upstream_forbidden',
    message: 'The plan of the account of the official API does not include this model.',
    recovery: 'other-credential',
  },
  {
    codes: ['1313'],
    code: 'upstream_forbidden',
    reason: 'fair_use_restriction',
    message: 'The official API has restricted the account under its fair-use policy.',
    recovery: 'other-credential',
    retryAfterSeconds: FAIR_USE_RETRY_SECONDS,
  },
  {
    codes: ['1220', ...codeRange(1110, 1112), '1120', '1121'],
    code: 'upstream_forbidden',
    reason: 'upstream_forbidden',
    message: 'The official API refused the account.',
    recovery: 'other-credential',
  },
  {
    codes: ['1211'],
    code: 'model_not_found',
    message: 'The upstream does not know this model.',
  },
  {
    codes: ['1261'],
    code: 'invalid_request',
    reason: 'context_length_exceeded',
    param: 'messages',
    message: 'The conversation is longer than the context of the model.',
  },
  {
    codes: ['1301'],
    code: 'content_refused',
    message: 'The upstream refused the content of this conversation.',
  },
  {
    codes: ['1210', ...codeRange(1212, 1215), '1221', '1222'],
    code: 'upstream_drifted',
    message: 'The official API no longer accepts requests of this shape.',
  },
  {
    // A request id that was seen before: the next try has a fresh one.
    codes: ['500', '1200', '1230', '1231', '1234'],
    code: 'upstream_failed',
    message: 'The upstream reported an internal error.',
    recovery: 'repeat',
  },
];

const rowByCode: ReadonlyMap<string, FaultRow> = new Map(
  faultTable.flatMap((row) => row.codes.map((code) => [code, row] as const)),
);

/** The fault that a JSON body or frame carries: under `error`, or flat; undefined when it carries none. */
export function findFault(frame: unknown): PlatformFault | undefined {
  if (!isRecord(frame)) return undefined;
  const { error } = frame;
  if (typeof error === 'string' && error !== '') return { code: '', text: error };
  const place = isRecord(error) ? error : 'choices' in frame ? {} : frame;
  const { code, message, msg } = place;
  const text = typeof message === 'string' ? message : typeof msg === 'string' ? msg : '';
  const hasCode = typeof code === 'string' || typeof code === 'number';
  if (!hasCode && text === '' && !isRecord(error)) return undefined;
  return { code: hasCode ? String(code) : '', text };
}

/** The typed error of a fault; an unknown one is `upstream_failed` and not tried again. `nowMs`: by the wall clock. */
export function classifyFault(fault: PlatformFault, nowMs: number): TurnError {
  const row = rowByCode.get(fault.code);
  if (!row)
    return new TurnError('upstream_failed', 'The upstream reported an unknown error.', {
      layer: 'upstream',
      cause: fault,
    });
  const { code, message, reason, param, recovery, reach } = row;
  const resetMs = row.namesReset ? findResetTimeMs(fault.text) : undefined;
  const retryAfterSeconds =
    resetMs !== undefined && resetMs > nowMs ? Math.ceil((resetMs - nowMs) / 1000) : row.retryAfterSeconds;
  return new TurnError(code, message, {
    layer: 'upstream',
    cause: fault,
    ...(reason === undefined ? {} : { reason }),
    ...(param === undefined ? {} : { param }),
    ...(recovery === undefined ? {} : { recovery }),
    ...(reach === undefined ? {} : { reach }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/**
 * The typed error of a failed HTTP answer, or of a 200 whose body is no answer (protocol 10.4). `body` may be cut; it is only looked at,
 * never passed on. `retryAfterSeconds` is the answer's own `Retry-After`.
 */
export function decodeHttpError(
  status: number,
  contentType: string,
  body: string,
  { nowMs, retryAfterSeconds }: { readonly nowMs: number; readonly retryAfterSeconds?: number | undefined },
): TurnError {
  const fault = findFault(tryParseJson(body));
  const known = fault && rowByCode.has(fault.code) ? classifyFault(fault, nowMs) : undefined;
  const error = known ?? errorOfStatus(status, /^\s*</.test(body) || contentType.includes('text/html'), fault);
  if (retryAfterSeconds === undefined) return error;
  const { recovery, ...details } = error.details;
  // Who asks for a wait is not asked again at once.
  const keepsRecovery = recovery !== undefined && recovery !== 'repeat';
  return new TurnError(error.code, error.message, {
    ...details,
    retryAfterSeconds,
    ...(keepsRecovery ? { recovery } : {}),
  });
}

/** What a status says when no code does. */
function errorOfStatus(status: number, isPage: boolean, fault: PlatformFault | undefined): TurnError {
  const cause = { status, kind: isPage ? 'html' : 'other', fault };
  const details = { layer: 'upstream', cause } as const;
  if (status === 401) return classifyFault({ code: '1000', text: '' }, 0);
  if (isPage && (status === 403 || status === 405 || status < 400)) {
    return new TurnError(
      'upstream_blocked',
      'The edge in front of the official API blocked the request. Wait before trying again.',
      { ...details, retryAfterSeconds: 60 },
    );
  }
  if (status === 403 || status === 434) return classifyFault({ code: '1220', text: '' }, 0);
  if (status === 429)
    return new TurnError('upstream_busy', 'The upstream limits the rate of requests.', {
      ...details,
      reason: 'upstream_rate_limited',
      retryAfterSeconds: 30,
      // A page comes from the edge, which counts addresses.
      ...(isPage ? {} : { recovery: 'other-credential' as const }),
    });
  if (status === 413 || status === 435)
    return new TurnError('request_too_large', 'The request is larger than the official API takes.', details);
  if (status >= 500)
    return new TurnError('upstream_failed', 'The upstream reported an internal error.', {
      ...details,
      recovery: 'repeat',
    });
  if (status >= 300)
    return new TurnError('upstream_drifted', 'The official API no longer accepts requests of this shape.', details);
  return new TurnError('upstream_failed', 'The upstream reported an unknown error.', details);
}
