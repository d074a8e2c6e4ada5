import { once } from 'node:events';
import {
  createRuntime,
  listen,
  parseSettings,
  redisSettings,
  runtimeSettings,
  type RequestState,
  type RunningServer,
} from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Middleware } from 'koa';
import { gatewaySettings, resolveGatewaySettings } from './config.ts';
import { createGateway } from './gateway.ts';
import { openRateLimiter } from './limits/open-rate-limiter.ts';

const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(AbortSignal.abort())));
});

const KEY = 'sk-test';
const echo: Middleware<RequestState> = (ctx) => void (ctx.body = { path: ctx.path, method: ctx.method });

async function start({
  env = {},
  backend = echo,
}: { env?: Record<string, string>; backend?: Middleware<RequestState> } = {}) {
  const runtime = createRuntime({
    name: 'gateway',
    version: '1.2.3',
    settings: parseSettings(runtimeSettings, { ZAI_LOG_LEVEL: 'silent', ZAI_SHUTDOWN_TIMEOUT: '5' }),
  });
  const settings = resolveGatewaySettings(parseSettings(gatewaySettings, { ZAI_API_KEY: KEY, ...env }));
  const rateLimiter = openRateLimiter(settings.requestsPerMinute, parseSettings(redisSettings, {}), runtime);
  const gateway = createGateway({ settings, runtime, backend, rateLimiter });
  const server = await listen(gateway.callback, { host: '127.0.0.1', port: 0 });
  servers.push(server);
  return { runtime, server, url: `http://127.0.0.1:${server.port}` };
}

const withKey = { authorization: `Bearer ${KEY}` };
const turn = (init: { signal?: AbortSignal } = {}): RequestInit => ({
  method: 'POST',
  body: '{}',
  ...init,
  headers: withKey,
});

interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}
const errorOf = async (response: Response) => ((await response.json()) as ErrorBody).error;

describe('public routes', () => {
  it('M22: answer without a key', async () => {
    const { url } = await start();
    const health = await fetch(`${url}/health`);
    expect(await health.text()).toBe('{"status":"ok","service":"Z.ai2api"}');
    expect(await (await fetch(url)).json()).toMatchObject({
      name: 'gateway',
      version: '1.2.3',
      endpoints: { openai_chat: '/v1/chat/completions' },
    });
    for (const path of ['/', '/health', '/api/hello'])
      expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('keys', () => {
  it.each([
    ['no key', {}, null],
    ['an empty key', { authorization: 'Bearer ' }, null],
    ['another scheme', { authorization: `Basic ${KEY}` }, null],
    ['a wrong key', { authorization: 'Bearer sk-wrong' }, 'invalid_api_key'],
    ['wrong keys', { authorization: 'Bearer x', 'x-api-key': `${KEY}x` }, 'invalid_api_key'],
  ])('refuse %s', async (_case, headers, code) => {
    const { url } = await start();
    const response = await fetch(`${url}/v1/models`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    const error = await errorOf(response);
    expect(error).toMatchObject({ type: 'invalid_request_error', param: null });
    if (code !== null) expect(error.code).toBe(code);
  });

  it.each([
    ['/v1/models', { 'x-api-key': 'x' }],
    ['/v1/models', { authorization: 'Bearer x', 'anthropic-version': '2023-06-01' }],
    ['/anthropic/v1/nowhere', { authorization: 'Bearer x' }],
  ])('H06: are refused as Anthropic does on %s with %j', async (path, headers) => {
    const { url } = await start();
    const response = await fetch(url + path, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'authentication_error', message: 'The API key is not valid.' },
      request_id: response.headers.get('request-id'),
    });
  });

  it('are taken from both headers, one of several', async () => {
    const { url } = await start({ env: { ZAI_API_KEY: 'first, second' } });
    const headers = [
      { authorization: 'bearer second' },
      { 'x-api-key': 'first' },
      { authorization: 'Bearer no', 'x-api-key': 'first' },
    ];
    for (const each of headers) expect((await fetch(`${url}/v1/models`, { headers: each })).status).toBe(200);
  });

  it('are not asked for when none is configured', async () => {
    const { url } = await start({ env: { ZAI_API_KEY: '' } });
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
  });
});

describe('cross-origin calls', () => {
  const preflight = (url: string, headers: Record<string, string>) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST', ...headers },
    });

  it('are preflighted without a key, and the requested headers are reflected', async () => {
    const { url } = await start();
    const response = await preflight(url, {
      origin: 'https://page.test',
      'access-control-request-headers': 'authorization, x-stainless-foo, bad header, <b>',
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization, x-stainless-foo');
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, POST, DELETE, OPTIONS');
    expect(response.headers.get('access-control-max-age')).toBe('86400');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    const vary = response.headers.get('vary') ?? '';
    expect(vary).toContain('Origin');
    expect(vary).toContain('Access-Control-Request-Headers');
  });

  it('from an origin that is not allowed get no CORS header', async () => {
    const { url } = await start({ env: { ZAI_CORS_ORIGINS: 'https://page.test, https://Other.test/' } });
    const allowed = await preflight(url, { origin: 'https://other.test' });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://other.test');
    const refused = await preflight(url, { origin: 'https://evil.test' });
    expect(refused.status).toBe(204);
    expect([...refused.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    const called = await fetch(`${url}/v1/models`, { headers: { ...withKey, origin: 'https://evil.test' } });
    expect(called.headers.get('access-control-allow-origin')).toBeNull();
    expect(called.headers.get('vary')).toContain('Origin');
  });

  it('can read errors and their headers', async () => {
    const { url } = await start({ backend: () => Promise.reject(new Error('broken')) });
    const origin = 'https://page.test';
    const answers = [
      await fetch(`${url}/v1/models`, { headers: { origin } }),
      await fetch(`${url}/v1/nothing`, { headers: { ...withKey, origin } }),
      await fetch(`${url}/v1/models`, { headers: { ...withKey, origin } }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([401, 404, 500]);
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')).toContain('x-ratelimit-remaining-requests');
      expect(headers.get('content-type')).toContain('application/json');
    }
  });
});

describe('paths', () => {
  it('that are not served say so', async () => {
    const { url } = await start();
    const ask = (path: string, init: RequestInit = {}) => fetch(url + path, { headers: withKey, ...init });

    for (const [path, status] of [
      ['/v1/audio/speech', 404],
      ['/v1/images/edits', 400],
    ] as const) {
      const unsupported = await ask(path, { method: 'POST', body: '{}' });
      expect(unsupported.status).toBe(status);
      const error = await errorOf(unsupported);
      expect(error).toMatchObject({ type: 'invalid_request_error', code: 'unsupported_endpoint' });
      expect(error.message).toContain('POST /v1/chat/completions');
    }

    const unknown = await ask('/v1/nothing?secret=1');
    expect(unknown.status).toBe(404);
    expect(await errorOf(unknown)).toMatchObject({ message: 'Invalid URL (GET /v1/nothing)', code: null });

    const wrong = await ask('/v1/chat/completions');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST, OPTIONS');
    expect(await errorOf(wrong)).toMatchObject({ code: 'method_not_allowed' });
  });

  it('H19: reach the backend in their canonical form', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/openai/v1/models/a%2Fb/?x=1`, { headers: withKey });
    expect(await answer.json()).toEqual({ path: '/v1/models/a%2Fb', method: 'GET' });
  });

  it('that the backend does not know are 404', async () => {
    const { url } = await start({ backend: (_ctx, next) => next() });
    const answer = await fetch(`${url}/v1/models`, { headers: withKey });
    expect([answer.status, await errorOf(answer)]).toMatchObject([404, { type: 'invalid_request_error' }]);
  });

  it.each<[string, Record<string, string>, string | null]>([
    ['/v1/models', withKey, null],
    ['/v1/models', { ...withKey, 'x-api-key': 'x' }, null],
    ['/v1/models', { 'x-api-key': KEY }, '2023-06-01'],
    ['/v1/models/glm', { 'x-api-key': KEY }, '2023-06-01'],
    ['/v1/status', { 'x-api-key': KEY }, null],
    ['/anthropic/v1/models', withKey, '2023-06-01'],
    ['/anthropic/v1/models', { ...withKey, 'anthropic-version': '2026-10-21' }, '2026-10-21'],
  ])('H01: %s with %j speaks the Anthropic API: %p', async (path, headers, version) => {
    const { url } = await start({
      backend: (ctx) => void (ctx.body = { version: ctx.req.headers['anthropic-version'] ?? null }),
    });
    expect(await (await fetch(url + path, { headers })).json()).toEqual({ version });
  });
});

describe('the limit of turns', () => {
  /** A backend that streams until told to end. */
  function streams() {
    const running: { end: () => void; closed: Promise<unknown> }[] = [];
    const listeners: (() => void)[] = [];
    const backend: Middleware<RequestState> = (ctx) => {
      ctx.respond = false;
      ctx.status = 200;
      ctx.res.write('data: first\n\n');
      running.push({ end: () => void ctx.res.end('data: last\n\n'), closed: once(ctx.res, 'close') });
      for (const listener of listeners.splice(0)) listener();
    };
    const reached = async (count: number): Promise<void> => {
      while (running.length < count) await new Promise<void>((resolve) => listeners.push(resolve));
    };
    return { backend, running, reached };
  }

  it('gives the slot of a stream away when its response is over, not earlier', async () => {
    const { backend, running, reached } = streams();
    const { url, runtime } = await start({ backend, env: { ZAI_MAX_CONCURRENT_REQUESTS: '1' } });
    const first = await fetch(`${url}/v1/chat/completions`, turn());
    const second = fetch(`${url}/v1/chat/completions`, turn());
    // The models list takes no slot, and its round trip shows that the second turn is still waiting.
    await expect(queueLength(runtime)).resolves.toBe(1);
    expect(running).toHaveLength(1);
    running[0]!.end();
    await reached(2);
    expect(await first.text()).toContain('last');
    running[1]!.end();
    expect(await (await second).text()).toContain('last');
  });

  it('refuses with 429 when the wait is over, and when nobody may wait', async () => {
    const { backend, running } = streams();
    const env = { ZAI_MAX_CONCURRENT_REQUESTS: '1', ZAI_QUEUE_TIMEOUT: '0.05' };
    const { url, runtime } = await start({ backend, env });
    const first = await fetch(`${url}/v1/chat/completions`, turn());
    const refused = await fetch(`${url}/v1/chat/completions`, turn());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers.get('retry-after-ms'))).toBeGreaterThanOrEqual(1);
    expect(await errorOf(refused)).toMatchObject({ type: 'rate_limit_error', code: 'concurrency_limit_exceeded' });
    expect(await runtime.registry.metrics()).toContain('zai_gateway_rate_limited_total{limit="concurrency"} 1');
    running[0]!.end();
    await first.text();
  });

  it('lets a waiter whose client leaves out of the queue at once', async () => {
    const { backend, running, reached } = streams();
    const { url, runtime } = await start({ backend, env: { ZAI_MAX_CONCURRENT_REQUESTS: '1' } });
    const first = await fetch(`${url}/v1/chat/completions`, turn());
    const leaver = new AbortController();
    const left = fetch(`${url}/v1/chat/completions`, turn({ signal: leaver.signal }));
    expect(await queueLength(runtime)).toBe(1);
    leaver.abort();
    await expect(left).rejects.toHaveProperty('name', 'AbortError');
    const startedAtMs = performance.now();
    expect(await queueLength(runtime, 0)).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    const third = fetch(`${url}/v1/chat/completions`, turn());
    running[0]!.end();
    await first.text();
    await reached(2);
    running[1]!.end();
    await (await third).text();
    expect(running).toHaveLength(2);
  });

  it('frees the slot of a client that leaves within the stream', async () => {
    const { backend, running, reached } = streams();
    const { url } = await start({ backend, env: { ZAI_MAX_CONCURRENT_REQUESTS: '1' } });
    const leaver = new AbortController();
    await fetch(`${url}/v1/chat/completions`, turn({ signal: leaver.signal }));
    leaver.abort();
    await running[0]!.closed;
    const next = await fetch(`${url}/v1/chat/completions`, turn());
    await reached(2);
    running[1]!.end();
    expect(next.status).toBe(200);
    await next.text();
  });

  it('does not count other routes', async () => {
    const { backend, running } = streams();
    const mixed: Middleware<RequestState> = async (ctx, next) => {
      await (ctx.path === '/v1/models' ? echo(ctx, next) : backend(ctx, next));
    };
    const { url } = await start({ backend: mixed, env: { ZAI_MAX_CONCURRENT_REQUESTS: '1', ZAI_QUEUE_SIZE: '0' } });
    const first = await fetch(`${url}/v1/chat/completions`, turn());
    expect((await fetch(`${url}/v1/models`, { headers: withKey })).status).toBe(200);
    running[0]!.end();
    await first.text();
  });

  async function queueLength(runtime: { registry: { metrics(): Promise<string> } }, wanted = 1): Promise<number> {
    const deadline = performance.now() + 2_000;
    for (;;) {
      const value = Number(/^zai_gateway_queue_length (\d+)$/m.exec(await runtime.registry.metrics())?.[1]);
      if (value === wanted || performance.now() > deadline) return value;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});

describe('the rate limit', () => {
  const env = { ZAI_API_KEY: `${KEY},other`, ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: '2' };
  const post = (url: string, path = '/v1/chat/completions', key = KEY) =>
    fetch(url + path, { method: 'POST', body: '{}', headers: { authorization: `Bearer ${key}` } });

  it('H11: refuses with the time to come back, in every form that clients know', async () => {
    const { url, runtime } = await start({ env });
    for (let request = 0; request < 2; request++) expect((await post(url)).status).toBe(200);
    const { status, headers } = await post(url);
    expect(status).toBe(429);
    const ms = Number(headers.get('retry-after-ms'));
    expect(ms).toBeGreaterThan(20_000);
    expect(ms).toBeLessThanOrEqual(30_000);
    expect(headers.get('retry-after')).toBe(String(Math.ceil(ms / 1000)));
    expect(headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^(1m0|5\ds|60)s?$/);
    expect(await runtime.registry.metrics()).toContain('zai_gateway_rate_limited_total{limit="requests"} 1');
  });

  it('H12: is told on every answer to a turn, and goes down', async () => {
    const { url } = await start({
      env: { ...env, ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: '3' },
      backend: (ctx) => {
        if (ctx.path === '/v1/completions') throw new TurnError('upstream_failed', 'x', { layer: 'upstream' });
        ctx.respond = false;
        ctx.res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: 1\n\n');
      },
    });
    const answers = [await post(url), await post(url, '/v1/completions'), await post(url)];
    expect(answers.map(({ status, headers }) => [status, headers.get('x-ratelimit-remaining-requests')])).toEqual([
      [200, '2'],
      [502, '1'],
      [200, '0'],
    ]);
  });

  it('speaks to clients of the Anthropic API in their words', async () => {
    const { url } = await start({ env });
    const first = await post(url, '/v1/messages');
    expect(first.headers.get('anthropic-ratelimit-requests-remaining')).toBe('1');
    expect(first.headers.get('x-ratelimit-limit-requests')).toBeNull();
    await post(url, '/v1/messages');
    const refused = await post(url, '/v1/messages');
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    const reset = Date.parse(refused.headers.get('anthropic-ratelimit-requests-reset') ?? '') - Date.now();
    expect(reset).toBeGreaterThan(40_000);
    expect(reset).toBeLessThanOrEqual(61_000);
  });

  it('counts each key for itself, and only turns', async () => {
    const { url } = await start({ env });
    for (let request = 0; request < 5; request++) {
      expect((await post(url, '/v1/messages/count_tokens')).status).toBe(200);
      expect((await fetch(`${url}/v1/models`, { headers: withKey })).headers.has('x-ratelimit-limit-requests')).toBe(
        false,
      );
    }
    const statuses = async (key: string) => [
      (await post(url, undefined, key)).status,
      (await post(url, undefined, key)).status,
      (await post(url, undefined, key)).status,
    ];
    expect(await statuses(KEY)).toEqual([200, 200, 429]);
    expect(await statuses('other')).toEqual([200, 200, 429]);
    expect((await post(url, undefined, 'wrong')).status).toBe(401);
  });
});

describe('timing', () => {
  it('is told on every answer, once', async () => {
    const { url } = await start({
      backend: (ctx) => {
        if (ctx.path === '/v1/models') throw new Error('broken');
        ctx.respond = false;
        ctx.status = 200;
        ctx.res.flushHeaders();
        ctx.res.end('data: 1\n\n');
      },
    });
    const answers = [
      await fetch(`${url}/v1/chat/completions`, turn()),
      await fetch(`${url}/v1/models`, { headers: withKey }),
      await fetch(`${url}/v1/nothing`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 500, 401]);
    for (const { headers } of answers) {
      expect(headers.get('openai-processing-ms')).toMatch(/^\d+$/);
      expect(headers.get('server-timing')).toMatch(/^total;dur=\d+\.\d$/);
    }
    const messages = await fetch(`${url}/v1/messages`, turn());
    expect(messages.headers.has('openai-processing-ms')).toBe(false);
    expect(messages.headers.has('server-timing')).toBe(true);
  });
});

describe('errors of the backend', () => {
  it('are answered in the dialect of the path', async () => {
    const { url } = await start({
      backend: () => {
        throw new TurnError('no_capacity', 'No credential is free.', { layer: 'pool', retryAfterSeconds: 3 });
      },
    });
    const response = await fetch(`${url}/v1/chat/completions`, turn());
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await errorOf(response)).toMatchObject({ message: 'No credential is free.' });
  });
});

describe('the stop', () => {
  it('refuses new requests on open connections, and lets a stream finish', async () => {
    const arrived = Promise.withResolvers<() => void>();
    const { url, runtime, server } = await start({
      backend: (ctx) => {
        ctx.respond = false;
        ctx.res.write('first ');
        arrived.resolve(() => void ctx.res.end('last'));
      },
    });
    const response = await fetch(`${url}/v1/chat/completions`, turn());
    const end = await arrived.promise;
    const stopped = runtime.stop('test');
    let refused = await fetch(`${url}/health`);
    while (refused.status === 200) refused = await fetch(`${url}/health`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('connection')).toBe('close');
    expect(await errorOf(refused)).toMatchObject({ code: 'shutting_down' });
    const closed = server.stop(new AbortController().signal);
    end();
    expect(await response.text()).toBe('first last');
    await Promise.all([stopped, closed]);
  });
});

describe('metrics', () => {
  it('count by route and status, with few labels', async () => {
    const { url, runtime } = await start();
    await (await fetch(`${url}/v1/models/one`, { headers: withKey })).text();
    await (await fetch(`${url}/v1/models/two`)).text();
    await (await fetch(`${url}/wp-admin/x`)).text();
    const text = await runtime.registry.metrics();
    expect(text).toContain('zai_gateway_requests_total{route="model",status="200"} 1');
    expect(text).toContain('zai_gateway_requests_total{route="model",status="401"} 1');
    expect(text).toContain('zai_gateway_requests_total{route="other",status="401"} 1');
    expect(text).toContain('zai_gateway_inflight_requests{route="model"} 0');
    expect(text).toContain('zai_gateway_request_duration_seconds_count{route="model"} 2');
  });
});
