import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, errorCodes, TurnError } from '@zai2api/turn';
import { encodeOpenAiError } from './encode-openai-error.ts';

const encode = (code: ErrorCode, details: Partial<TurnError['details']> = {}) =>
  encodeOpenAiError(new TurnError(code, 'Words.', { layer: 'upstream', ...details }));

describe('encodeOpenAiError', () => {
  it.each<[ErrorCode, number, string, string | null]>([
    ['invalid_request', 400, 'invalid_request_error', null],
    ['unsupported', 400, 'invalid_request_error', 'unsupported_parameter'],
    ['unauthenticated', 401, 'invalid_request_error', 'invalid_api_key'],
    ['forbidden', 403, 'permission_error', 'insufficient_permissions'],
    ['model_not_found', 404, 'invalid_request_error', 'model_not_found'],
    ['not_found', 404, 'invalid_request_error', null],
    ['method_not_allowed', 405, 'invalid_request_error', 'method_not_allowed'],
    ['request_too_large', 413, 'invalid_request_error', 'request_too_large'],
    ['unsupported_media_type', 415, 'invalid_request_error', 'unsupported_media_type'],
    ['content_refused', 400, 'invalid_request_error', 'content_policy_violation'],
    ['rate_limited', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['no_capacity', 503, 'service_unavailable_error', 'server_is_overloaded'],
    ['shutting_down', 503, 'service_unavailable_error', 'shutting_down'],
    ['upstream_busy', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['upstream_forbidden', 403, 'permission_error', 'model_not_allowed'],
    ['upstream_challenged', 503, 'service_unavailable_error', 'upstream_challenge'],
    ['upstream_blocked', 502, 'server_error', 'upstream_blocked'],
    ['upstream_drifted', 502, 'server_error', 'upstream_contract_changed'],
    ['upstream_failed', 502, 'server_error', 'upstream_error'],
    ['upstream_unreachable', 502, 'server_error', 'upstream_error'],
    ['upstream_timeout', 504, 'server_error', 'upstream_timeout'],
    ['cancelled', 499, 'invalid_request_error', 'cancelled'],
    ['internal', 500, 'server_error', 'internal_error'],
  ])('%s is %d %s %p', (code, status, type, wireCode) => {
    const encoded = encode(code);
    const param = code === 'model_not_found' ? 'model' : null;
    expect(encoded.status).toBe(status);
    expect(encoded.body).toEqual({ error: { message: 'Words.', type, param, code: wireCode } });
  });

  it('says of every code where it began, and when to come back on 429 and 503', () => {
    for (const code of errorCodes) {
      const { status, headers } = encode(code, { layer: 'pool' });
      expect(headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'x-error-layer': 'pool',
      });
      expect(headers['retry-after-ms']).toBeUndefined();
      if (status === 429 || status === 503) expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
  });

  it.each<[number, string, string]>([
    [0, '1', '1'],
    [-5, '1', '1'],
    [0.2, '1', '200'],
    [1.001, '2', '1001'],
    [30, '30', '30000'],
  ])('rounds %d seconds up', (retryAfterSeconds, seconds, milliseconds) => {
    expect(encode('rate_limited', { retryAfterSeconds }).headers).toMatchObject({
      'retry-after': seconds,
      'retry-after-ms': milliseconds,
    });
  });

  it('falls back to its own wait when the given one is no number', () => {
    const { headers } = encode('no_capacity', { retryAfterSeconds: Number.POSITIVE_INFINITY });
    expect(headers['retry-after']).toBe('5');
    expect(headers['retry-after-ms']).toBeUndefined();
  });

  it('stops official clients where a retry can only do harm', () => {
    const stopped = errorCodes.filter((code) => encode(code).headers['x-should-retry'] === 'false');
    expect(stopped).toEqual(['upstream_challenged', 'upstream_blocked', 'upstream_drifted']);
    for (const reason of ['tool_choice_not_satisfied', 'invalid_tool_call', 'insufficient_quota']) {
      expect(encode('upstream_failed', { reason }).headers['x-should-retry']).toBe('false');
    }
  });

  it('puts a finer reason in place of the code, and the path beside it', () => {
    expect(encode('unsupported', { reason: 'image_input_not_supported', param: 'messages[0]' }).body).toMatchObject({
      error: { code: 'image_input_not_supported', param: 'messages[0]', type: 'invalid_request_error' },
    });
    expect(encode('rate_limited', { reason: 'insufficient_quota' }).body).toMatchObject({
      error: { code: 'insufficient_quota', type: 'insufficient_quota' },
    });
    // A name that every object has is no entry of a table.
    expect(encode('internal', { reason: 'constructor' }).body).toMatchObject({ error: { type: 'server_error' } });
  });

  it('tells what a refused key needs, and never a cause', () => {
    expect(encode('unauthenticated').headers['www-authenticate']).toBe('Bearer');
    expect(JSON.stringify(encode('internal', { cause: new Error('token abc') }))).not.toContain('abc');
  });
});
