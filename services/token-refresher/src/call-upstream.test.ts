import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { WebProfile } from '@zai2api/dialects';
import { Agent } from 'undici';
import { callUpstream } from './call-upstream.ts';
import { createFetchIdentity } from './fetch-identity.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function createDispatcher(): Agent {
  const dispatcher = new Agent({ maxResponseSize: 1_000 });
  closers.push(() => dispatcher.destroy());
  return dispatcher;
}

const never = new AbortController().signal;
const profileFor = (base: string): WebProfile => ({
  base,
  signingSecret: 'secret',
  userAgent: 'Browser/1.0',
  language: 'en-US',
  timeZone: 'Europe/Berlin',
  region: 'overseas',
  deviceId: 'device',
});

describe('callUpstream', () => {
  const call = (url: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<unknown> =>
    callUpstream({
      dispatcher: createDispatcher(),
      method: 'GET',
      url,
      headers: {},
      timeoutMs: 5_000,
      signal: never,
      ...options,
    });

  it('answers any status, with the wait that was asked for', async () => {
    const url = await serve((_request, response) => response.writeHead(429, { 'retry-after': '12' }).end('slow down'));
    expect(await call(url)).toEqual({ status: 429, contentType: '', body: 'slow down', retryAfterSeconds: 12 });
  });

  it('names an upstream that is not there', async () => {
    const url = await serve(() => undefined);
    await closers.pop()?.();
    const failure: unknown = await call(url).catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code: 'upstream_unreachable', details: { cause: { message: 'ECONNREFUSED' } } });
    expect(inspect(failure)).not.toContain('127.0.0.1');
  });

  it('names a cut connection', async () => {
    const url = await serve((request) => request.socket.destroy());
    await expect(call(url)).rejects.toMatchObject({ code: 'upstream_failed' });
    const half = await serve((_request, response) => {
      response.writeHead(200).write('{', () => response.destroy());
    });
    await expect(call(half)).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('does not wait longer than it may, neither for the head nor for the body', async () => {
    const silent = await serve(() => undefined);
    await expect(call(silent, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'upstream_timeout' });
    const half = await serve((_request, response) => void response.writeHead(200).write('{'));
    await expect(call(half, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'upstream_timeout' });
  });

  it('ends at once with the reason of its signal', async () => {
    const controller = new AbortController();
    const url = await serve(() => controller.abort(new Error('stopping')));
    await expect(call(url, { signal: controller.signal })).rejects.toThrow('stopping');
    await expect(call(url, { signal: controller.signal })).rejects.toThrow('stopping');
  });

  it('does not read an endless body', async () => {
    const url = await serve((_request, response) => response.end('x'.repeat(2_000)));
    await expect(call(url)).rejects.toMatchObject({ code: 'upstream_drifted' });
  });
});

describe('fetchIdentity', () => {
  const fetchFrom = async (listener: RequestListener, token?: string): Promise<unknown> => {
    const profile = profileFor(await serve(listener));
    const fetchIdentity = createFetchIdentity({ dispatcher: createDispatcher(), profile, timeoutMs: 5_000 });
    return fetchIdentity({ signal: never, ...(token === undefined ? {} : { token }) });
  };

  it('asks for a guest without Authorization and Cookie, at the path with the trailing slash', async () => {
    let seen: unknown;
    const identity = await fetchFrom((request, response) => {
      seen = {
        method: request.method,
        url: request.url,
        auth: request.headers.authorization,
        cookie: request.headers.cookie,
      };
      response.setHeader('set-cookie', 'token=abc');
      response.end(JSON.stringify({ id: 'guest-1', token: 'opaque', role: 'guest' }));
    });
    expect(seen).toEqual({ method: 'GET', url: '/api/v1/auths/', auth: undefined, cookie: undefined });
    expect(identity).toMatchObject({ userId: 'guest-1', role: 'guest' });
  });

  it('asks whose token it is with that token', async () => {
    let authorization: string | undefined;
    await fetchFrom((request, response) => {
      authorization = request.headers.authorization;
      response.end(JSON.stringify({ id: 'ada', role: 'user' }));
    }, 'a-token');
    expect(authorization).toBe('Bearer a-token');
  });

  it.each([
    ['a block page', 405, '<!doctypehtml><title>405</title>', 'upstream_blocked'],
    ['a block page with 200', 200, '<html></html>', 'upstream_blocked'],
    ['a demand for verification', 403, '{"detail":{"code":"FRONTEND_CAPTCHA_REQUIRED"}}', 'upstream_challenged'],
    ['a demand for verification with 200', 200, '{"code":"FRONTEND_CAPTCHA_REQUIRED"}', 'upstream_challenged'],
    ['too many requests', 429, '{}', 'upstream_busy'],
    ['a refusal', 403, '{"detail":"no"}', 'upstream_forbidden'],
    ['a fault of its own', 503, 'Service Unavailable', 'upstream_failed'],
    ['an unknown object', 200, '{"hello":"world"}', 'upstream_drifted'],
    ['no JSON', 200, 'token=very-secret', 'upstream_drifted'],
    ['nothing', 200, '', 'upstream_drifted'],
    ['a route that is gone', 404, '{"detail":"Not Found"}', 'upstream_drifted'],
  ])('names %s', async (_name, status, body, code) => {
    const failure = fetchFrom((_request, response) => response.writeHead(status).end(body));
    await expect(failure).rejects.toMatchObject({
      name: 'TurnError',
      code,
      message: expect.not.stringContaining('secret') as unknown,
    });
  });
});
