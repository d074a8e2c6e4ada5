import { TurnError, type ErrorCode, type Recovery } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { tryParseJson } from '../../try-parse-json.ts';

/** An upstream error, whatever shape it came in. */
export interface UpstreamFault {
  /** Upper-case codes from `code`, `error_code`, `detail.code`; an HTTP status as digits. */
  readonly codes: readonly string[];
  /** Lower-case prose: only for recognising, never for clients. */
  readonly text: string;
  readonly verification: boolean;
}

interface FaultRow {
  readonly matches: (fault: UpstreamFault) => boolean;
  readonly code: ErrorCode;
  readonly reason?: string;
  readonly message: string;
  readonly recovery?: Recovery;
  readonly retryAfterSeconds?: number;
}

const hasCode =
  (...codes: string[]) =>
  (fault: UpstreamFault): boolean =>
    fault.codes.some((code) => codes.includes(code));
const says =
  (pattern: RegExp) =>
  (fault: UpstreamFault): boolean =>
    pattern.test(fault.text);
const either =
  (...tests: ((fault: UpstreamFault) => boolean)[]) =>
  (fault: UpstreamFault): boolean =>
    tests.some((test) => test(fault));

/**
 * Every known failure, first match wins. The order is that of protocol 14, but for capacity before concurrency: both come with 429, and only
 * the former always says more. A new upstream text is one row here and one fixture.
 */
const faultTable: readonly FaultRow[] = [
  {
    matches: either(
      (fault) => fault.verification,
      hasCode('FRONTEND_CAPTCHA_REQUIRED', 'VERIFICATION_REQUIRED'),
      says(/captcha|人机验证/),
    ),
    code: 'upstream_challenged',
    message:
      'The upstream asks for human verification, which this service never solves. Wait, use another account, or use the official API.',
    retryAfterSeconds: 60,
  },
  {
    matches: says(/not available for current user level|当前用户无法使用此模型/),
    code: 'upstream_forbidden',
    message:
      'The upstream does not offer this model to the account level in use. Choose another model or configure a user token.',
  },
  {
    matches: either(hasCode('MODEL_CONCURRENCY_LIMIT'), says(/currently at capacity|当前模型使用人数较多/)),
    code: 'upstream_busy',
    reason: 'model_busy',
    message: 'The model is at capacity upstream. Try again shortly or choose another model.',
    retryAfterSeconds: 10,
  },
  {
    matches: either(hasCode('429'), says(/concurrent conversation limit/)),
    code: 'upstream_busy',
    reason: 'upstream_concurrency',
    message: 'The upstream account has reached its limit of concurrent conversations.',
    recovery: 'other-credential',
    retryAfterSeconds: 5,
  },
  {
    matches: either(
      hasCode('426', 'APP_VERSION_OUTDATED'),
      says(/refresh the page|刷新页面|client version check failed|客户端校验失败/),
    ),
    code: 'upstream_drifted',
    reason: 'frontend_version_outdated',
    message: 'The upstream says that the frontend version in use is outdated.',
    recovery: 'refresh-session',
  },
  {
    matches: says(/signature validation failed/),
    code: 'upstream_drifted',
    reason: 'signature_rejected',
    message: 'The upstream rejected the request signature: its contract or clock has changed.',
    recovery: 'refresh-session',
  },
  {
    matches: either(hasCode('401', 'INVALID_TOKEN'), says(/invalid token|not authenticated/)),
    code: 'upstream_failed',
    reason: 'upstream_unauthorized',
    message: 'The upstream refused the session token.',
    recovery: 'other-credential',
  },
  {
    matches: either(hasCode('MODEL_NOT_FOUND'), says(/model not found/)),
    code: 'model_not_found',
    message: 'The upstream does not know this model.',
  },
  {
    matches: either(hasCode('SENSITIVE'), says(/sensitive content/)),
    code: 'content_refused',
    message: 'The upstream refused the content of this conversation.',
  },
  {
    matches: either(hasCode('INTERNAL_ERROR', '500', '502', '503', '504'), says(/something went wrong|internal error/)),
    code: 'upstream_failed',
    message: 'The upstream reported an internal error.',
    recovery: 'repeat',
  },
  {
    matches: hasCode('403'),
    code: 'upstream_forbidden',
    reason: 'upstream_forbidden',
    message: 'The upstream refused the request for this account.',
  },
];

/** The typed error of a fault; an unknown one is `upstream_failed` and not tried again. */
export function classifyFault(fault: UpstreamFault): TurnError {
  const row = faultTable.find(({ matches }) => matches(fault));
  if (!row)
    return new TurnError('upstream_failed', 'The upstream reported an unknown error.', {
      layer: 'upstream',
      cause: fault,
    });
  const { code, message, reason, recovery, retryAfterSeconds } = row;
  return new TurnError(code, message, {
    layer: 'upstream',
    cause: fault,
    ...(reason === undefined ? {} : { reason }),
    ...(recovery === undefined ? {} : { recovery }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** The fault that a JSON body or frame carries, at any of its known places (protocol 8.1); undefined when it carries none. */
export function findFault(frame: unknown): UpstreamFault | undefined {
  if (!isRecord(frame)) return undefined;
  const data = isRecord(frame['data']) ? frame['data'] : {};
  const places = [frame['error'], data['error'], fieldOf(data['data'], 'error'), fieldOf(data['inner'], 'error')];
  for (const place of places) {
    const fault = readFault(place);
    if (fault) return fault;
  }
  if (frame['type'] === 'error' || frame['type'] === 'chat:error')
    return readFault({ ...frame, ...data }) ?? readFault({ code: 'ERROR' });
  // A bare `{"code","detail"}`; content frames always say their `type` or `data`.
  const isBare = frame['type'] === undefined && frame['data'] === undefined;
  return isBare && faultFields.some((field) => field in frame) ? readFault(frame) : undefined;
}

/** Fields that only an error has. */
const faultFields = ['code', 'detail', 'error_code', 'captcha_error_type', 'verify_code'];

function readFault(value: unknown): UpstreamFault | undefined {
  if (typeof value === 'string' && value !== '')
    return { codes: [value.toUpperCase()], text: value.toLowerCase(), verification: false };
  if (!isRecord(value)) return undefined;
  const detail = value['detail'];
  const inner = isRecord(detail) ? detail : {};
  const codes = [
    value['code'],
    value['error_code'],
    inner['code'],
    inner['error_code'],
    value['status'],
    // Some say the code where others have a sentence.
    value['message'],
    detail,
    inner['message'],
  ]
    .filter((code) => typeof code === 'string' || typeof code === 'number')
    .map((code) => String(code).toUpperCase());
  const texts = [detail, value['message'], value['content'], inner['message'], inner['detail']].filter(
    (text) => typeof text === 'string',
  );
  const verification = [value, inner].some((fields) =>
    ['captcha_error_type', 'verify_code'].some((key) => typeof fields[key] === 'string' && fields[key] !== ''),
  );
  if (codes.length === 0 && texts.length === 0 && !verification) return undefined;
  return { codes, text: texts.join('\n').toLowerCase(), verification };
}

const fieldOf = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined);

/**
 * The typed error of a failed HTTP answer, or of a 200 whose body is no stream (protocol 8.2). `body` may be cut; it is only
 * looked at, never passed on. `retryAfterSeconds` is the answer's own `Retry-After`.
 */
export function decodeHttpError(
  status: number,
  contentType: string,
  body: string,
  retryAfterSeconds?: number,
): TurnError {
  const isPage = /^\s*</.test(body) || contentType.includes('text/html');
  if ((isPage && (status === 405 || status === 403 || status < 400)) || looksLikeEdge(body)) {
    return new TurnError(
      'upstream_blocked',
      'The upstream’s edge blocked the request. Wait before trying again, or use the official API.',
      {
        layer: 'upstream',
        retryAfterSeconds: retryAfterSeconds ?? 60,
        cause: { status, kind: 'html' },
      },
    );
  }
  const fault = findFault(tryParseJson(body));
  const bodyCodes = fault?.codes ?? [];
  // A 429 is said of our address when the body knows no better: it is waited out, not carried to the next identity.
  const codes = status === 429 ? bodyCodes.filter((code) => code !== '429') : [...bodyCodes, String(status)];
  const error = classifyFault({ codes, text: fault?.text ?? '', verification: fault?.verification ?? false });
  const { reason, recovery } = error.details;
  const unknown = error.code === 'upstream_failed' && reason === undefined && recovery === undefined;
  if (status === 429 && (unknown || recovery === 'repeat')) {
    return new TurnError('upstream_busy', 'The upstream limits the rate of requests.', {
      layer: 'upstream',
      reason: 'upstream_rate_limited',
      retryAfterSeconds: retryAfterSeconds ?? 30,
    });
  }
  if (unknown && ((status >= 300 && status < 400) || [400, 404, 405, 422].includes(status))) {
    return new TurnError('upstream_drifted', 'The upstream no longer accepts requests of this shape.', {
      layer: 'upstream',
      cause: { status, fault },
    });
  }
  return retryAfterSeconds === undefined ? error : waitingAsAsked(error, retryAfterSeconds);
}

/** Who asks for a wait is not asked again at once, and the client is told the wait. */
function waitingAsAsked(error: TurnError, retryAfterSeconds: number): TurnError {
  const { recovery, ...details } = error.details;
  const isPassing = recovery === 'repeat' || recovery === undefined;
  return new TurnError(error.code, error.message, {
    ...details,
    retryAfterSeconds,
    ...(isPassing ? {} : { recovery }),
  });
}

/** Signs of the edge near the beginning of a page (protocol 8.2); JSON may quote them, so it is none. */
const looksLikeEdge = (body: string): boolean =>
  !/^\s*[{[]/.test(body) &&
  /errors\.aliyun\.com|<title>405<\/title>|<!doctypehtml|potential threats to the server/i.test(body.slice(0, 1000));
