import { describe, expect, it } from '@jest/globals';
import { errorCodes, TurnError, type ErrorCode } from '@zai2api/turn';
import { encodeResponseFailure, encodeResponsesError, encodeResponsesErrorFrame } from './encode-error.ts';

const error = (code: ErrorCode, details = {}) => new TurnError(code, 'Why.', { layer: 'upstream', ...details });

describe('a failed response', () => {
  it.each([
    [error('upstream_failed'), 'server_error'],
    [error('upstream_challenged'), 'server_error'],
    [error('no_capacity'), 'server_is_overloaded'],
    [error('upstream_busy'), 'rate_limit_exceeded'],
    [error('content_refused'), 'invalid_prompt'],
    [error('invalid_request', { reason: 'context_length_exceeded' }), 'context_length_exceeded'],
    [error('rate_limited', { reason: 'insufficient_quota' }), 'insufficient_quota'],
  ])('of %s says %s', (failure, code) => {
    expect(encodeResponseFailure(failure)).toEqual({ code, message: 'Why.' });
  });

  it('never lacks a code that clients know', () => {
    const known = /^(server_error|rate_limit_exceeded|invalid_prompt|server_is_overloaded)$/;
    for (const code of errorCodes) expect(encodeResponseFailure(error(code)).code).toMatch(known);
  });
});

describe('a failure before the response', () => {
  it('names content that was refused as this API does', () => {
    expect(encodeResponsesError(error('content_refused'))).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_prompt', type: 'invalid_request_error', param: null } },
    });
  });

  it('R22: keeps status and headers', () => {
    expect(encodeResponsesError(error('upstream_busy', { retryAfterSeconds: 3 }))).toMatchObject({
      status: 429,
      headers: { 'retry-after': '3' },
      body: { error: { code: 'rate_limit_exceeded' } },
    });
  });

  it('ends a stream that somebody else began', () => {
    const frame = encodeResponsesErrorFrame(error('upstream_unreachable'));
    expect(frame).toMatch(/^event: error\ndata: \{.*\}\n\n$/);
    expect(JSON.parse(frame.slice(frame.indexOf('{')))).toMatchObject({
      type: 'error',
      code: 'upstream_error',
      message: 'Why.',
      error: { code: 'upstream_error' },
    });
  });
});
