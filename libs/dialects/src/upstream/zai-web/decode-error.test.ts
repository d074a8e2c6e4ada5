import { describe, expect, it } from '@jest/globals';
import { TurnError, type ErrorCode, type Recovery } from '@zai2api/turn';
import fc from 'fast-check';
import { classifyFault, decodeHttpError, findFault } from './decode-error.ts';

interface Expected {
  readonly code: ErrorCode;
  readonly reason?: string;
  readonly recovery?: Recovery;
  readonly retryAfterSeconds?: number;
}

const challenged: Expected = { code: 'upstream_challenged', retryAfterSeconds: 60 };
const level: Expected = { code: 'upstream_forbidden' };
const modelBusy: Expected = { code: 'upstream_busy', reason: 'model_busy', retryAfterSeconds: 10 };
const concurrency: Expected = {
  code: 'upstream_busy',
  reason: 'upstream_concurrency',
  recovery: 'other-credential',
  retryAfterSeconds: 5,
};
const stale: Expected = {
  code: 'upstream_drifted',
  reason: 'frontend_version_outdated',
  recovery: 'refresh-session',
};
const signature: Expected = { code: 'upstream_drifted', reason: 'signature_rejected', recovery: 'refresh-session' };
const unauthorized: Expected = {
  code: 'upstream_failed',
  reason: 'upstream_unauthorized',
  recovery: 'other-credential',
};
const noModel: Expected = { code: 'model_not_found' };
const refused: Expected = { code: 'content_refused' };
const passing: Expected = { code: 'upstream_failed', recovery: 'repeat' };
const forbidden: Expected = { code: 'upstream_forbidden', reason: 'upstream_forbidden' };
const unknown: Expected = { code: 'upstream_failed' };
const drifted: Expected = { code: 'upstream_drifted' };
const blocked: Expected = { code: 'upstream_blocked', retryAfterSeconds: 60 };
const rateLimited: Expected = { code: 'upstream_busy', reason: 'upstream_rate_limited', retryAfterSeconds: 30 };

/** The classes of protocol 8.1 as they look. */
const faults: readonly [string, Record<string, unknown>, Expected][] = [
  ['verification by code', { code: 'FRONTEND_CAPTCHA_REQUIRED' }, challenged],
  ['verification by error_code', { code: 403, error_code: 'FRONTEND_CAPTCHA_REQUIRED' }, challenged],
  ['verification by captcha_error_type alone', { captcha_error_type: 'missing_param' }, challenged],
  ['verification by verify_code alone', { verify_code: 'F001' }, challenged],
  ['verification by error_code alone', { error_code: 'FRONTEND_CAPTCHA_REQUIRED' }, challenged],
  ['verification by the code as detail', { detail: 'VERIFICATION_REQUIRED' }, challenged],
  ['verification inside an object', { code: 403, detail: { captcha_error_type: 'missing_param' } }, challenged],
  ['model busy by error_code alone', { error_code: 'MODEL_CONCURRENCY_LIMIT' }, modelBusy],
  ['internal error by error_code alone', { error_code: 'INTERNAL_ERROR' }, passing],
  ['auth by the code as detail', { detail: 'INVALID_TOKEN' }, unauthorized],
  ['verification by code in lower case', { code: 'frontend_captcha_required' }, challenged],
  ['verification required', { code: 'VERIFICATION_REQUIRED' }, challenged],
  ['verification by captcha_error_type', { code: 400, captcha_error_type: 'verify_failed' }, challenged],
  ['verification by verify_code', { code: 400, verify_code: 'F019' }, challenged],
  ['verification by Chinese text', { code: 400, detail: '人机验证失败，请重新验证后再试' }, challenged],
  ['verification by text', { detail: 'Captcha verification failed' }, challenged],
  [
    'verification with the text of a stale app',
    {
      code: 'FRONTEND_CAPTCHA_REQUIRED',
      detail: 'Please refresh the page to update the app, then try again.',
    },
    challenged,
  ],
  ['stale app by text', { detail: 'Please refresh the page to update the app, then try again.' }, stale],
  ['stale app by Chinese text', { code: 1, detail: '请刷新页面以更新应用后重试。' }, stale],
  ['stale app with an empty captcha type', { code: 426, captcha_error_type: '', verify_code: null }, stale],
  ['stale app by code', { code: 'APP_VERSION_OUTDATED' }, stale],
  ['version check 426', { code: 426, detail: 'x' }, stale],
  ['version check text', { detail: 'Client version check failed' }, stale],
  ['version check Chinese text', { detail: '您的客户端校验失败' }, stale],
  [
    'concurrency',
    {
      code: 429,
      detail: 'Your current concurrent conversation limit has been reached. Please try again later.',
    },
    concurrency,
  ],
  ['concurrency as text code', { code: '429' }, concurrency],
  ['model busy by code', { code: 'MODEL_CONCURRENCY_LIMIT', detail: '…', model_id: 'glm-5' }, modelBusy],
  ['model busy by Chinese text', { code: 429, detail: '当前模型使用人数较多' }, modelBusy],
  [
    'model at capacity',
    {
      code: 429,
      detail: 'Model is currently at capacity. Please try again later or switch to another model.',
    },
    modelBusy,
  ],
  ['level', { code: 403, detail: 'Model not available for current user level' }, level],
  ['level in Chinese', { code: 403, detail: '当前用户无法使用此模型' }, level],
  ['content by code', { code: 'SENSITIVE', content: 'I cannot talk about that.' }, refused],
  ['content by code in error_code', { code: 400, error_code: 'sensitive' }, refused],
  [
    'internal error',
    { code: 'INTERNAL_ERROR', detail: 'Oops, something went wrong. Please try again later.' },
    passing,
  ],
  ['internal error by text', { detail: 'Oops, something went wrong' }, passing],
  ['internal error by number', { code: 500 }, passing],
  ['gateway error by number', { code: 503, detail: 'x' }, passing],
  ['auth by number', { code: 401 }, unauthorized],
  ['auth by code', { code: 'INVALID_TOKEN' }, unauthorized],
  ['model id', { code: 'MODEL_NOT_FOUND' }, noModel],
  ['model id by text', { code: 404, detail: 'Model not found' }, noModel],
  ['signature', { detail: '403: Signature validation failed: expired' }, signature],
  ['another 403', { code: 403, detail: 'Forbidden' }, forbidden],
  ['an unknown code', { code: 'TEAPOT', detail: 'I am a teapot' }, unknown],
];

/** Where an error is found (protocol 8.1). */
const positions: readonly [string, (error: unknown) => unknown][] = [
  ['error', (error) => ({ error })],
  ['data.error', (error) => ({ type: 'chat:completion', data: { done: true, content: '', error } })],
  ['data.data.error', (error) => ({ type: 'chat:completion', data: { data: { done: true, error } } })],
  ['data.inner.error', (error) => ({ type: 'chat:completion', data: { inner: { error } } })],
  ['a bare body', (error) => error],
  ['the fields of a frame of type error', (error) => ({ ...(error as object), type: 'error' })],
  ['the data of a frame of type chat:error', (error) => ({ type: 'chat:error', data: error })],
];

/** Codes in the details of the message would be a leak as much as the prose. */
const ownWords = (error: TurnError, fault: Record<string, unknown>): void => {
  for (const text of Object.values(fault)) {
    if (typeof text === 'string' && text.length > 3)
      expect(error.message.toLowerCase()).not.toContain(text.toLowerCase());
  }
};

const summary = (error: TurnError): Expected & { layer: string } => {
  const { layer, reason, recovery, retryAfterSeconds } = error.details;
  return {
    code: error.code,
    layer,
    ...(reason === undefined ? {} : { reason }),
    ...(recovery === undefined ? {} : { recovery }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
};

describe.each(faults)('%s', (_name, fault, expected) => {
  it.each(positions)('is known at %s', (_position, place) => {
    const found = findFault(place(fault));
    expect(found).toBeDefined();
    const error = classifyFault(found!);
    expect(summary(error)).toEqual({ ...expected, layer: 'upstream' });
    ownWords(error, fault);
  });
});

describe('findFault', () => {
  it('reads a code and a message inside `detail`', () => {
    const body = { error: { code: 403, detail: { code: 'FRONTEND_CAPTCHA_REQUIRED', message: 'x' } } };
    expect(classifyFault(findFault(body)!).code).toBe('upstream_challenged');
  });

  it('reads the flat shape with the code in `message`', () => {
    const frame = { type: 'error', code: 403, message: 'FRONTEND_CAPTCHA_REQUIRED', param: 'missing_param' };
    expect(classifyFault(findFault(frame)!).code).toBe('upstream_challenged');
  });

  it('reads an error that is only text', () => {
    expect(classifyFault(findFault({ data: { error: 'INTERNAL_ERROR' } })!).details.recovery).toBe('repeat');
    expect(classifyFault(findFault({ error: 'Client version check failed' })!).code).toBe('upstream_drifted');
  });

  it('takes an error frame without any word for an unknown fault', () => {
    expect(classifyFault(findFault({ type: 'error' })!).code).toBe('upstream_failed');
    expect(classifyFault(findFault({ type: 'chat:error', data: {} })!).code).toBe('upstream_failed');
  });

  it.each<[string, unknown]>([
    ['a delta', { type: 'chat:completion', data: { delta_content: 'error', phase: 'answer' } }],
    ['a frame without type', { data: { delta_content: 'x', code: 5 } }],
    ['an error that is null', { type: 'chat:completion', data: { error: null } }],
    ['an empty error', { type: 'chat:completion', data: { error: {} } }],
    ['an empty text', { data: { error: '' } }],
    ['a code in a frame with a type', { type: 'status', code: 5 }],
    ['an end marker', { type: 'chat:completion', data: '[DONE]' }],
    ['null', null],
    ['a list', [{ error: { code: 5 } }]],
    ['text', 'error'],
    ['nothing', {}],
  ])('finds none in %s', (_name, frame) => {
    expect(findFault(frame)).toBeUndefined();
  });

  it('takes anything, and classifies what it finds', () => {
    const errorish = fc.oneof(
      fc.anything(),
      fc.record({ code: fc.anything(), detail: fc.anything() }, { requiredKeys: [] }),
    );
    fc.assert(
      fc.property(errorish, fc.constantFrom(...positions), (error, [, place]) => {
        fc.pre(typeof error === 'object');
        const fault = findFault(place(error));
        return fault === undefined || TurnError.is(classifyFault(fault));
      }),
    );
  });
});

describe('decodeHttpError', () => {
  const page = '<!DOCTYPE html><html><head><title>405</title></head>errors.aliyun.com</html>';
  const json = (body: unknown): [string, string] => ['application/json', JSON.stringify(body)];
  const detail = (text: unknown): [string, string] => json({ detail: text });

  it.each<[string, number, readonly [string, string], Expected]>([
    ['HTML 405', 405, ['text/html; charset=utf-8', page], blocked],
    ['HTML 405 without a content type', 405, ['', `\n ${page}`], blocked],
    ['an empty 405 that says it is HTML', 405, ['text/html', ''], blocked],
    ['JSON 405', 405, detail('Method Not Allowed'), drifted],
    ['text 405', 405, ['text/plain', 'no'], drifted],
    ['HTML 403', 403, ['text/html', '<html>no</html>'], blocked],
    ['HTML 200', 200, ['text/html', '<!doctypehtml><html>'], blocked],
    ['an edge page with 503', 503, ['text/html', '<html>potential threats to the server'], blocked],
    ['a plain HTML 502', 502, ['text/html', '<html>Bad gateway</html>'], passing],
    ['a plain HTML 404', 404, ['text/html', '<html>nginx</html>'], drifted],
    ['signature', 400, detail('403: Signature validation failed: x'), signature],
    ['malformed 400', 400, detail('bad'), drifted],
    ['malformed 422', 422, detail([{ loc: ['body'] }]), drifted],
    ['bad token', 401, detail('Unauthorized'), unauthorized],
    ['bad token without a body', 401, ['', ''], unauthorized],
    ['forbidden', 403, detail('Forbidden'), forbidden],
    ['verification over HTTP', 403, json({ code: 'FRONTEND_CAPTCHA_REQUIRED' }), challenged],
    ['verification nested over HTTP', 403, detail({ code: 'FRONTEND_CAPTCHA_REQUIRED' }), challenged],
    ['level over HTTP', 403, detail('Model not available for current user level'), level],
    ['removed route', 404, detail('Not Found'), drifted],
    ['unknown model', 404, detail('Model not found'), noModel],
    ['version check', 426, detail('x'), stale],
    ['verification as 429', 429, json({ code: 'FRONTEND_CAPTCHA_REQUIRED' }), challenged],
    [
      'concurrency over HTTP',
      429,
      detail('Your current concurrent conversation limit has been reached. Please try again later.'),
      concurrency,
    ],
    ['model busy over HTTP', 429, json({ code: 'MODEL_CONCURRENCY_LIMIT' }), modelBusy],
    ['rate limit with its code', 429, json({ code: 429, message: 'Too many requests' }), rateLimited],
    ['rate limit as an internal error', 429, json({ code: 'INTERNAL_ERROR' }), rateLimited],
    ['verification in the detail’s text', 403, detail('FRONTEND_CAPTCHA_REQUIRED: try again'), challenged],
    ['Chinese level over HTTP', 403, detail('当前用户无法使用此模型'), level],
    ['version check in HTML', 426, ['text/html', '<html>Upgrade Required</html>'], stale],
    ['a JSON body that quotes an edge page', 400, detail('see errors.aliyun.com'), drifted],
    ['an edge page that is called text', 405, ['text/plain', 'Blocked: errors.aliyun.com'], blocked],
    ['a redirect', 302, ['', ''], drifted],
    ['a redirect with a page', 302, ['text/html', '<html>Found</html>'], blocked],
    ['rate limit JSON', 429, detail('slow down'), rateLimited],
    ['rate limit HTML', 429, ['text/html', '<html>slow down</html>'], rateLimited],
    ['rate limit without a body', 429, ['', ''], rateLimited],
    ['internal', 500, ['text/plain', 'Internal Server Error'], passing],
    ['internal error said with 400', 400, json({ code: 'INTERNAL_ERROR' }), passing],
    ['bad gateway', 502, ['', ''], passing],
    ['unavailable', 503, json({ error: { message: 'x' } }), passing],
    ['gateway timeout', 504, ['text/plain', '{"cut'], passing],
    ['teapot', 418, ['text/plain', 'short and stout'], unknown],
    ['JSON instead of a stream', 200, json({ code: 'TEAPOT', detail: 'x' }), unknown],
    ['an internal error instead of a stream', 200, json({ error: { code: 'INTERNAL_ERROR' } }), passing],
  ])('%s (%d)', (_name, status, [contentType, body], expected) => {
    expect(summary(decodeHttpError(status, contentType, body))).toEqual({ ...expected, layer: 'upstream' });
  });

  it.each([
    ['an edge block', 405, page],
    ['a rate limit', 429, '{}'],
  ])('passes on the Retry-After of %s', (_name, status, body) => {
    expect(decodeHttpError(status, '', body, 7).details.retryAfterSeconds).toBe(7);
  });

  it('does not repeat at once what asked for a wait, and tells the wait', () => {
    const error = decodeHttpError(503, 'text/plain', 'busy', 20);
    expect(summary(error)).toEqual({ code: 'upstream_failed', layer: 'upstream', retryAfterSeconds: 20 });
    const refused = decodeHttpError(401, 'text/plain', '', 20);
    expect(summary(refused)).toEqual({ ...unauthorized, layer: 'upstream', retryAfterSeconds: 20 });
  });

  it('never repeats the body, and answers something for anything', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.string(),
        fc.string({ minLength: 4 }),
        (status, type, text) => {
          const secret = `~${text}~`;
          for (const body of [secret, JSON.stringify({ detail: secret }), `<html>${secret}`]) {
            const error = decodeHttpError(status, type, body);
            expect(error.message).not.toContain(secret);
            expect(error.details.layer).toBe('upstream');
          }
        },
      ),
    );
  });
});
