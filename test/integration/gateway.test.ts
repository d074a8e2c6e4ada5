import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { askText, askWhole, chatBody, postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { hasContent, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const said = 'Hello from GLM. You said: hi';

const key = 'sk-test-0123456789';
const keyed = { ZAI_API_KEY: `sk-other,${key}` };
const origin = { origin: 'https://app.example' };

async function errorOf(response: Response): Promise<ErrorBody['error']> {
  const { error } = (await response.json()) as ErrorBody;
  expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
  return error;
}

describe('H06: keys', () => {
  it.each([
    ['Bearer', { authorization: `Bearer ${key}` }],
    ['bearer with blanks', { authorization: `bearer  ${key} ` }],
    ['the other key', { authorization: 'Bearer sk-other' }],
    ['x-api-key', { 'x-api-key': key }],
    ['both, one of them right', { authorization: 'Bearer wrong', 'x-api-key': key }],
  ])('%s passes', async (_what, headers) => {
    await using stack = await startStack({ env: keyed });
    expect(await askText(stack.url, 'hi', { headers })).toBe(said);
    expect((await fetch(`${stack.url}/v1/models`, { headers })).status).toBe(200);
  });

  it.each([
    ['no key', {}],
    ['an empty key', { authorization: 'Bearer ' }],
    ['an empty x-api-key', { 'x-api-key': '' }],
    ['a wrong key', { authorization: 'Bearer wrong' }],
    ['a part of the key', { authorization: `Bearer ${key.slice(0, -1)}` }],
    ['both keys', { authorization: `Bearer sk-other,${key}` }],
    ['another scheme', { authorization: `Basic ${key}` }],
  ])('%s is 401', async (_what, headers) => {
    await using stack = await startStack({ env: keyed });
    const paths = ['/v1/models', '/v1/models/glm-4.7', '/v1/nothing'];
    const responses = await Promise.all([
      postChat(stack.url, 'hi', { headers }),
      ...paths.map((path) => fetch(`${stack.url}${path}`, { headers })),
    ]);
    for (const response of responses) {
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      const error = await errorOf(response);
      expect(error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_api_key' });
      expect(error.message).not.toContain('sk-');
    }
    expect(stack.upstream.log.some(({ path }) => path === '/api/v2/chat/completions')).toBe(false);
  });

  it('are never sent to the upstream', async () => {
    await using stack = await startStack({ env: keyed });
    await askWhole(stack.url, 'hi', { headers: { authorization: `Bearer ${key}`, 'x-api-key': key } });
    expect(JSON.stringify(stack.upstream.log)).not.toContain(key);
  });
});

describe('public paths', () => {
  it('need no key', async () => {
    await using stack = await startStack({ env: keyed });
    const health = await fetch(`${stack.url}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', service: 'Z.ai2api' }]);
    const card = await fetch(`${stack.url}/`);
    expect([card.status, await card.json()]).toMatchObject([
      200,
      { name: expect.any(String), version: expect.any(String), endpoints: expect.any(Object) },
    ]);
    expect((await fetch(`${stack.url}/`, { method: 'HEAD' })).status).toBe(200);
  });

  it.each([
    ['GET', '/v1/chat/completions', 405, 'method_not_allowed'],
    ['POST', '/v1/models', 405, 'method_not_allowed'],
    ['POST', '/health', 405, 'method_not_allowed'],
    ['GET', '/metrics', 404, null],
    ['GET', '/readyz', 404, null],
    ['GET', '/nothing', 404, null],
    ['POST', '/v1/embeddings', 400, 'unsupported_endpoint'],
    ['POST', '/v1/images/generations', 400, 'unsupported_endpoint'],
    ['POST', '/v1/images/edits', 400, 'unsupported_endpoint'],
    ['POST', '/v1/moderations', 404, 'unsupported_endpoint'],
    ['POST', '/v1/audio/speech', 404, 'unsupported_endpoint'],
  ])('H04, H09: %s %s is %i', async (method, path, status, code) => {
    await using stack = await startStack();
    const response = await fetch(`${stack.url}${path}`, { method });
    expect(response.status).toBe(status);
    expect(response.headers.has('allow')).toBe(status === 405);
    expect((await errorOf(response)).code).toBe(code);
  });

  it.each(['/chat/completions', '/v1/v1/chat/completions', '/api/v1/chat/completions', '/v1/chat/completions/'])(
    'H19: %s is the same endpoint',
    async (path) => {
      await using stack = await startStack();
      const response = await fetch(`${stack.url}${path}?beta=true`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(chatBody('hi')),
      });
      expect([response.status, await response.json()]).toMatchObject([200, { object: 'chat.completion' }]);
    },
  );
});

describe('H14, H15: pages of other origins', () => {
  const preflight = (stack: Stack, headers: Record<string, string>): Promise<Response> =>
    fetch(`${stack.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST', ...headers },
    });

  it('are answered their preflight without a key, with every header they ask for', async () => {
    await using stack = await startStack({ env: keyed });
    const response = await preflight(stack, {
      ...origin,
      'access-control-request-headers': 'authorization,x-stainless-foo',
    });
    expect(response.status).toBe(204);
    const { headers } = response;
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-headers')?.split(/, */)).toEqual(['authorization', 'x-stainless-foo']);
    expect(headers.get('access-control-allow-methods')).toContain('POST');
  });

  it('that are not on the list get no CORS headers', async () => {
    await using stack = await startStack({ env: { ZAI_CORS_ORIGINS: 'https://app.example' } });
    const allowed = await preflight(stack, origin);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    const other = await preflight(stack, { origin: 'https://evil.example' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may read errors and streams too', async () => {
    await using stack = await startStack({ env: keyed });
    const unauthorized = await postChat(stack.url, 'hi', { headers: origin });
    const headers = { ...origin, authorization: `Bearer ${key}` };
    const failed = await postChat(stack.url, scenario('error-level'), { headers });
    const unknown = await postChat(stack.url, 'hi', { headers, body: { model: 'nothing' } });
    const stream = await openStream(stack.url, 'hi', { headers });
    expect([unauthorized.status, failed.status, unknown.status, stream.status]).toEqual([401, 403, 404, 200]);
    for (const response of [unauthorized, failed, unknown, stream]) {
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-expose-headers')).toContain('x-request-id');
    }
    await stream.rest();
  });
});

describe('bodies', () => {
  it.each([
    ['declared', (text: string) => text],
    ['chunked', (text: string) => new Blob([text]).stream()],
  ])('H07: above ZAI_MAX_BODY_BYTES are 413 (%s)', async (_how, wrap) => {
    await using stack = await startStack({ env: { ZAI_MAX_BODY_BYTES: '2000' } });
    const post = (text: string): Promise<Response> =>
      fetch(`${stack.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: wrap(text),
        duplex: 'half',
      } as RequestInit);
    const large = await post(JSON.stringify(chatBody('x'.repeat(3_000))));
    expect([large.status, await errorOf(large)]).toMatchObject([413, { code: 'request_too_large' }]);
    expect((await post(JSON.stringify(chatBody('x'.repeat(1_000))))).status).toBe(200);
  });

  it('H07: an endless one is refused before it is read to its end', async () => {
    await using stack = await startStack({ env: { ZAI_MAX_BODY_BYTES: '2000' } });
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    // Nobody ends this body but the server.
    socket.write(chunk.repeat(4));
    await waitFor(() => text.startsWith('HTTP/1.1 413 '), { withinMs: 2_000 });
    socket.destroy();
  });

  it.each([
    ['no JSON', 'application/json', '{"messages":', 400, null, null],
    ['no object', 'application/json', '[]', 400, null, null],
    ['no messages', 'application/json', '{}', 400, 'messages', expect.anything()],
    ['form data', 'application/x-www-form-urlencoded', 'a=b', 415, null, 'unsupported_media_type'],
  ])('H09: %s is refused', async (_what, contentType, body, status, param, code) => {
    await using stack = await startStack();
    const response = await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    expect(response.status).toBe(status);
    expect(await errorOf(response)).toMatchObject({ type: 'invalid_request_error', param, code });
  });

  it('may come without a media type, with a BOM, and as +json', async () => {
    await using stack = await startStack();
    const text = JSON.stringify(chatBody('hi'));
    const post = (body: BodyInit, headers: Record<string, string>): Promise<Response> =>
      fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', headers, body });
    const responses = await Promise.all([
      post(new Blob([text]), {}),
      post(`\ufeff${text}`, { 'content-type': 'application/json; charset=utf-8' }),
      post(text, { 'content-type': 'application/vnd.api+json' }),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('ZAI_MAX_CONCURRENT_REQUESTS', () => {
  const one = { ZAI_MAX_CONCURRENT_REQUESTS: '1' };
  async function occupy(stack: Stack): Promise<AbortController> {
    const leaving = new AbortController();
    const stream = await openStream(stack.url, scenario('stall-after-content'), { signal: leaving.signal });
    await stream.find(hasContent);
    return leaving;
  }

  it.each([
    ['after the wait', { ...one, ZAI_QUEUE_TIMEOUT: '0.2' }],
    ['at once without a wait', { ...one, ZAI_QUEUE_TIMEOUT: '0' }],
    ['at once when too many wait', { ...one, ZAI_QUEUE_SIZE: '0' }],
  ])('H11: one too many is 429 with Retry-After, %s', async (_when, env) => {
    await using stack = await startStack({ env });
    const leaving = await occupy(stack);
    const startedAtMs = performance.now();
    const response = await postChat(stack.url, 'hi');
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(response.status).toBe(429);
    const retryAfter = Number(response.headers.get('retry-after'));
    expect(Number.isInteger(retryAfter) && retryAfter >= 1).toBe(true);
    expect(response.headers.get('retry-after-ms')).toBe(String(retryAfter * 1000));
    expect(await errorOf(response)).toMatchObject({ type: 'rate_limit_error', code: 'concurrency_limit_exceeded' });
    expect(await stack.metric('zai_gateway_rate_limited_total', { limit: 'concurrency' })).toBe(1);
    // What costs nothing is not held up.
    expect((await fetch(`${stack.url}/v1/models`)).status).toBe(200);
    leaving.abort();
    expect(await askText(stack.url, 'hi')).toBe(said);
  });

  it('lets those who wait start in the order they came', async () => {
    await using stack = await startStack({ env: one });
    const leaving = await occupy(stack);
    const ends: number[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const number of [1, 2, 3]) {
      waiting.push(askWhole(stack.url, 'hi').then(() => ends.push(number)));
      await waitFor(async () => (await stack.metric('zai_gateway_queue_length')) === number, { withinMs: 2_000 });
    }
    leaving.abort();
    await Promise.all(waiting);
    expect(ends).toEqual([1, 2, 3]);
  });
});

describe('H10: request ids', () => {
  it('are on every answer, are ours, and are in the log', async () => {
    await using stack = await startStack();
    const headers = { 'x-request-id': 'req_00000000000000000000000000000000', 'x-client-request-id': 'mine-1' };
    const stream = await openStream(stack.url, 'hi', { headers });
    await stream.rest();
    const responses = [
      stream,
      await postChat(stack.url, scenario('error-level'), { headers }),
      await fetch(`${stack.url}/v1/models`, { headers }),
      await fetch(`${stack.url}/nothing`, { headers }),
      await fetch(`${stack.url}/health`, { headers }),
    ];
    const ids = responses.map((response) => response.headers.get('x-request-id'));
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-f]{32}$/);
    expect(new Set([...ids, headers['x-request-id']]).size).toBe(6);
    await waitFor(() => stack.logLines().filter(({ msg }) => msg === 'request').length === 5, { withinMs: 2_000 });
    const access = stack.logLines().filter(({ msg }) => msg === 'request');
    expect(access.map(({ requestId }) => requestId)).toEqual(ids);
    expect(access.map(({ status }) => status)).toEqual([200, 403, 200, 404, 200]);
    expect(access[0]).toMatchObject({ method: 'POST', path: '/v1/chat/completions', clientRequestId: 'mine-1' });
  });
});

describe('the admin port', () => {
  it('tells of life, readiness and the start, and is another port', async () => {
    await using stack = await startStack();
    const probes = ['/livez', '/readyz', '/startupz'].map((path) => fetch(`${stack.adminUrl}${path}`));
    expect((await Promise.all(probes)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await fetch(`${stack.adminUrl}/v1/models`)).status).toBe(404);
    expect(new URL(stack.adminUrl).port).not.toBe(new URL(stack.url).port);
  });

  it('counts what happened', async () => {
    await using stack = await startStack();
    await askWhole(stack.url, 'hi');
    await postChat(stack.url, scenario('error-level'));
    const stream = await openStream(stack.url, scenario('thinking-then-edit'));
    await stream.rest();
    const counts = async (): Promise<number[]> =>
      Promise.all([
        stack.metric('zai_gateway_requests_total', { route: 'chat-completions', status: '200' }),
        stack.metric('zai_gateway_requests_total', { route: 'chat-completions', status: '403' }),
        stack.metric('zai_translator_turns_total', { outcome: 'complete', stream: 'true' }),
        stack.metric('zai_translator_turns_total', { outcome: 'upstream_forbidden' }),
        stack.metric('gen_ai_server_time_to_first_token_seconds_count'),
        stack.metric('zai_translator_running_turns'),
        stack.metric('zai_gateway_inflight_requests'),
        stack.metric('zai_credentials', { kind: 'guest', state: 'ready' }),
        stack.metric('zai_pool_state', { state: 'ok' }),
      ]);
    await waitFor(async () => JSON.stringify(await counts()) === JSON.stringify([2, 1, 1, 1, 2, 0, 0, 3, 1]), {
      withinMs: 2_000,
    }).catch(async () => expect(await counts()).toEqual([2, 1, 1, 1, 2, 0, 0, 3, 1]));
    expect(await stack.metric('zai_translator_tokens_total', { type: 'output' })).toBeGreaterThan(0);
  });
});
