import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import { clientDialectForPath, encodeErrorForPath, errorDialectForPath } from './by-path.ts';

const bases = ['/v1', '', '/v1/v1', '/api/v1', '/openai/v1', '/api/paas/v4', '/anthropic/v1', '/api/anthropic/v1'];

describe('clientDialectForPath', () => {
  it.each([
    '/',
    '/v1',
    '/v1/models',
    '/v1/chat/completions/x',
    '/v1/chat',
    '//',
    '/v2/chat/completions',
    '',
    '/v1/messages/count_tokens',
    '/v1/messages/batches',
  ])('knows no turn at %p', (path) => {
    expect(clientDialectForPath(path)).toBeUndefined();
  });

  it.each(bases)('H05, H19: speaks every dialect below %p', (base) => {
    for (const slash of ['', '/']) {
      expect(clientDialectForPath(`${base}/chat/completions${slash}`)?.name).toBe('openai-chat');
      expect(clientDialectForPath(`${base}/completions${slash}`)?.name).toBe('openai-completions');
      expect(clientDialectForPath(`${base}/responses${slash}`)?.name).toBe('openai-responses');
      expect(clientDialectForPath(`${base}/messages${slash}`)?.name).toBe('anthropic-messages');
    }
  });
});

describe('errorDialectForPath', () => {
  it.each(['/v1/responses', '/responses/resp_1', '/v1/responses/resp_1/input_items'])(
    'has an error shape of responses for %s',
    (path) => {
      expect(errorDialectForPath(path, {}).name).toBe('openai-responses');
    },
  );

  it.each(['/v1/chat/completions', '/v1/models', '/nowhere', '/v1/mymessages'])('answers %s as OpenAI does', (path) => {
    expect(errorDialectForPath(path, { authorization: 'Bearer x', 'x-api-key': 'x' }).name).toBe('openai-chat');
  });

  it('does not take a bare key for a sign of one API but at the models', () => {
    expect(errorDialectForPath('/nowhere', { 'x-api-key': 'x' }).name).toBe('openai-chat');
    expect(errorDialectForPath('/v1/models/x', { 'x-api-key': 'x' }).name).toBe('anthropic-messages');
  });

  it.each([
    '/v1/messages',
    '/messages',
    '/v1/v1/messages/count_tokens',
    '/v1/messages/batches/x',
    '/anthropic/v1/models',
    '/api/anthropic/nowhere',
  ])('answers %s as Anthropic does', (path) => {
    expect(errorDialectForPath(path, { authorization: 'Bearer x' }).name).toBe('anthropic-messages');
  });

  it.each([{ 'anthropic-version': '2023-06-01', authorization: 'Bearer x' }, { 'x-api-key': 'x' }])(
    'tells the client of a shared path by %j, but not that of a path with one dialect',
    (headers) => {
      expect(errorDialectForPath('/v1/models', headers).name).toBe('anthropic-messages');
      expect(errorDialectForPath('/v1/chat/completions', headers).name).toBe('openai-chat');
    },
  );
});

describe('encodeErrorForPath', () => {
  it.each([
    ['/v1/messages', { type: 'error', request_id: 'req_1' }],
    ['/v1/responses', { error: { message: 'm' } }],
    ['/nowhere', { error: { message: 'm' } }],
  ])('is a whole answer for %s', (path, body) => {
    const error = new TurnError('rate_limited', 'm', { layer: 'gateway', retryAfterSeconds: 2 });
    const encoded = encodeErrorForPath(error, { path, headers: {}, requestId: 'req_1' });
    expect(encoded).toMatchObject({ status: 429, headers: { 'retry-after': '2' } });
    expect(JSON.parse(encoded.body)).toMatchObject(body);
  });
});
