import { describe, expect, it } from '@jest/globals';
import { errorCodes, TurnError, type ErrorCode } from '@zai2api/turn';
import { encodeAnthropicError, encodeAnthropicErrorFrame } from './encode-error.ts';

const errorOf = (code: ErrorCode, details: Partial<TurnError['details']> = {}) =>
  new TurnError(code, 'Words.', { layer: 'upstream', ...details });
const encode = (code: ErrorCode, details: Partial<TurnError['details']> = {}) =>
  encodeAnthropicError(errorOf(code, details), { requestId: 'req_1' });

describe('encodeAnthropicError', () => {
  it.each<[ErrorCode, number, string]>([
    ['invalid_request', 400, 'invalid_request_error'],
    ['unsupported', 400, 'invalid_request_error'],
    ['unauthenticated', 401, 'authentication_error'],
    ['forbidden', 403, 'permission_error'],
    ['model_not_found', 404, 'not_found_error'],
    ['not_found', 404, 'not_found_error'],
    ['method_not_allowed', 405, 'invalid_request_error'],
    ['request_too_large', 413, 'request_too_large'],
    ['unsupported_media_type', 415, 'invalid_request_error'],
    ['content_refused', 400, 'invalid_request_error'],
    ['rate_limited', 429, 'rate_limit_error'],
    ['no_capacity', 529, 'overloaded_error'],
    ['shutting_down', 529, 'overloaded_error'],
    ['upstream_busy', 429, 'rate_limit_error'],
    ['upstream_forbidden', 403, 'permission_error'],
    ['upstream_challenged', 529, 'overloaded_error'],
    ['upstream_blocked', 500, 'api_error'],
    ['upstream_drifted', 500, 'api_error'],
    ['upstream_failed', 500, 'api_error'],
    ['upstream_unreachable', 500, 'api_error'],
    ['upstream_timeout', 504, 'timeout_error'],
    ['cancelled', 499, 'invalid_request_error'],
    ['internal', 500, 'api_error'],
  ])('M17: %s is %d %s', (code, status, type) => {
    expect(encode(code)).toMatchObject({
      status,
      body: { type: 'error', error: { type, message: 'Words.' }, request_id: 'req_1' },
    });
  });

  it('says where it began, and when to come back on 429 and 529', () => {
    for (const code of errorCodes) {
      const { status, headers } = encode(code, { layer: 'pool' });
      expect(headers['x-error-layer']).toBe('pool');
      if (status === 429 || status === 529) expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    expect(encode('rate_limited', { retryAfterSeconds: 1.2 }).headers).toMatchObject({
      'retry-after': '2',
      'retry-after-ms': '1200',
    });
  });

  it('has the code of the other dialects in a header', () => {
    expect(encode('upstream_challenged').headers['x-error-code']).toBe('upstream_challenge');
    expect(encode('not_found').headers['x-error-code']).toBeUndefined();
    expect(encode('upstream_failed', { reason: 'invalid_tool_call' }).headers).toMatchObject({
      'x-error-code': 'invalid_tool_call',
      'x-should-retry': 'false',
    });
  });

  it('has a code in the body where clients look for it', () => {
    expect(encode('not_found', { reason: 'thread_not_found' })).toMatchObject({
      status: 404,
      body: { error: { type: 'not_found_error', details: { error_code: 'thread_not_found' } } },
    });
  });

  it('has a status of its own for spent quota', () => {
    expect(encode('rate_limited', { reason: 'insufficient_quota' })).toMatchObject({
      status: 402,
      body: { error: { type: 'billing_error' } },
    });
  });

  it('names the field that the message does not name', () => {
    const messageOf = (message: string): unknown =>
      encodeAnthropicError(new TurnError('invalid_request', message, { layer: 'client', param: 'messages[0]' })).body;
    expect(messageOf('It is wrong.')).toMatchObject({ error: { message: 'messages[0]: It is wrong.' } });
    expect(messageOf("'messages[0]' is wrong.")).toMatchObject({ error: { message: "'messages[0]' is wrong." } });
  });

  it('M16: says of a conversation that is too long what agents look for', () => {
    const overflow = { inputTokens: 210_000, maxInputTokens: 200_000 };
    const reason = 'context_length_exceeded';
    const param = 'messages';
    expect(encode('invalid_request', { reason, param, overflow })).toMatchObject({
      status: 400,
      body: { error: { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens > 200000 maximum' } },
    });
    expect(encode('invalid_request', { reason, param })).toMatchObject({
      body: { error: { message: 'prompt is too long' } },
    });
  });

  it('never tells a cause', () => {
    const error = errorOf('internal', { cause: new Error('token abc') });
    expect(JSON.stringify(encodeAnthropicError(error)) + encodeAnthropicErrorFrame(error)).not.toContain('abc');
  });
});

it('encodeAnthropicErrorFrame writes an event of its own name', () => {
  expect(encodeAnthropicErrorFrame(errorOf('no_capacity'))).toBe(
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Words."}}\n\n',
  );
});
