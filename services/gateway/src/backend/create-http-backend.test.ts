import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import {
  createLogger,
  createRuntime,
  listen,
  parseSettings,
  principalOfKey,
  runtimeSettings,
  type RunningServer,
} from '@zai2api/runtime';
import { afterEach, describe, expect, it } from '@jest/globals';
import { gatewaySettings, resolveGatewaySettings } from '../config.ts';
import { createGateway } from '../gateway.ts';
import { createHttpBackend } from './create-http-backend.ts';

const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

async function open(handler: http.RequestListener): Promise<RunningServer> {
  const server = await listen(handler, { host: '127.0.0.1', port: 0 });
  toClose.push(() => server.stop(AbortSignal.abort()));
  return server;
}

/** A gateway in front of a translator made of `handler`. */
async function start(handler: http.RequestListener, env: Record<string, string> = {}) {
  const translator = await open(handler);
  return { ...(await startInFrontOf(`http://127.0.0.1:${translator.port}`, env)), translator };
}

async function startInFrontOf(translatorUrl: string | readonly string[], env: Record<string, string> = {}) {
  const runtime = createRuntime({
    name: 'gateway',
    version: '1',
    settings: parseSettings(runtimeSettings, { ZAI_LOG_LEVEL: 'silent', ZAI_SHUTDOWN_TIMEOUT: '5' }),
  });
  const settings = resolveGatewaySettings(parseSettings(gatewaySettings, { ZAI_API_KEY: 'k', ...env }));
  const backend = createHttpBackend({
    translatorUrls: [translatorUrl].flat(),
    logger: createLogger({ name: 't', level: 'silent', format: 'json' }),
  });
  toClose.push(() => backend.close());
  const server = await open(createGateway({ settings, runtime, backend: backend.handle }).callback);
  return { url: `http://127.0.0.1:${server.port}/v1/chat/completions`, port: server.port, runtime, server };
}

interface Init extends RequestInit {
  readonly headers?: Record<string, string>;
}

const ask = (url: string, init: Init = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    body: '{"model":"glm"}',
    ...init,
    headers: { authorization: 'Bearer k', ...init.headers },
  });

const streamHead = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache, no-transform' };

/** Resolves with the milliseconds until the response closed without having been finished. */
async function abortedAfter(response: http.ServerResponse): Promise<number> {
  const startedAtMs = performance.now();
  await once(response, 'close');
  expect(response.writableFinished).toBe(false);
  return performance.now() - startedAtMs;
}

describe('several translators', () => {
  async function gone(): Promise<string> {
    const server = await open(() => undefined);
    await server.stop(AbortSignal.abort());
    return `http://127.0.0.1:${server.port}`;
  }
  const echo: http.RequestListener = (request, response) => void request.pipe(response);
  const addressOf = ({ port }: RunningServer): string => `http://127.0.0.1:${port}`;

  it('take turns', async () => {
    const asked: string[] = [];
    const servers = await Promise.all(
      ['a', 'b'].map((name) =>
        open((_request, response) => {
          asked.push(name);
          response.end();
        }),
      ),
    );
    const { url } = await startInFrontOf(servers.map(addressOf));
    for (let request = 0; request < 4; request++) await ask(url);
    expect(asked).toEqual(['a', 'b', 'a', 'b']);
  });

  it.each([
    ['a declared body', '{"model":"glm"}'],
    ['a large body', 'x'.repeat(3_000_000)],
  ])('are passed over when they cannot be reached, with %s', async (_what, body) => {
    const { url } = await startInFrontOf([await gone(), addressOf(await open(echo)), await gone()]);
    for (let request = 0; request < 6; request++) {
      const response = await ask(url, { body });
      expect([response.status, (await response.text()) === body]).toEqual([200, true]);
    }
  });

  it('are passed over with a chunked body', async () => {
    const { url } = await startInFrontOf([await gone(), addressOf(await open(echo))]);
    for (let request = 0; request < 3; request++) {
      const body = new Blob(['{"chunked":', 'true}']).stream();
      const response = await ask(url, { body, duplex: 'half' } as Init);
      expect([response.status, await response.text()]).toEqual([200, '{"chunked":true}']);
    }
  });

  it('are not asked again for what one of them has begun to read', async () => {
    let asked = 0;
    const breaking = await open((request) => {
      asked++;
      request.once('data', () => request.socket.destroy());
    });
    const { url } = await startInFrontOf([addressOf(breaking), addressOf(breaking)]);
    const response = await ask(url);
    expect([response.status, asked]).toEqual([502, 1]);
  });

  it('that are all gone are a 502', async () => {
    const { url } = await startInFrontOf([await gone(), await gone()]);
    expect((await ask(url)).status).toBe(502);
  });
});

describe('a translator that fails', () => {
  it('and cannot be reached is a 502 at once', async () => {
    const gone = await open(() => undefined);
    await gone.stop(AbortSignal.abort());
    const { url } = await startInFrontOf(`http://127.0.0.1:${gone.port}`);
    const startedAtMs = performance.now();
    const response = await ask(url);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(response.status).toBe(502);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({
      error: { type: 'server_error', code: 'upstream_unreachable', param: null },
    });
    expect(body).not.toContain('127.0.0.1');
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect((await ask(url)).status).toBe(502);
  });

  it('before its answer is a 502', async () => {
    const { url } = await start((request) => request.socket.destroy());
    expect((await ask(url)).status).toBe(502);
  });

  it('after its headers, before its first byte, is a 502 or an error event, never a success', async () => {
    const { url } = await start((_request, response) => {
      response.writeHead(200, streamHead);
      response.flushHeaders();
      setImmediate(() => response.destroy());
    });
    const response = await ask(url);
    const body = await response.text();
    if (response.status === 200) expect(body).toContain('data: {"error":');
    else expect(response.status).toBe(502);
  });

  it('within a stream ends it with an error event', async () => {
    const { url } = await start((_request, response) => {
      response.writeHead(200, streamHead);
      response.write('data: {"a":1}\n\ndata: {"cut', () => response.destroy());
    });
    const response = await ask(url);
    expect(response.status).toBe(200);
    const frames = (await response.text()).split('\n\n').filter((frame) => frame !== '');
    expect(frames[0]).toBe('data: {"a":1}');
    const last = JSON.parse((frames.at(-1) ?? '').replace(/^data: /, '')) as unknown;
    expect(last).toMatchObject({ error: { type: 'server_error', param: null, message: expect.any(String) } });
  });

  it('within a whole answer cuts the connection', async () => {
    const { url } = await start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"half":', () => response.destroy());
    });
    await expect(ask(url).then((response) => response.text())).rejects.toThrow();
  });
});

describe('a client that leaves', () => {
  it('before the first byte aborts the inner call', async () => {
    const arrived = Promise.withResolvers<http.ServerResponse>();
    const { url } = await start((_request, response) => arrived.resolve(response));
    const leaver = new AbortController();
    const asked = ask(url, { signal: leaver.signal });
    const inner = await arrived.promise;
    leaver.abort();
    await expect(asked).rejects.toHaveProperty('name', 'AbortError');
    expect(await abortedAfter(inner)).toBeLessThan(250);
  });

  it('within the stream aborts the inner call', async () => {
    const arrived = Promise.withResolvers<http.ServerResponse>();
    const { url } = await start((_request, response) => {
      response.writeHead(200, streamHead);
      response.write('data: 1\n\n');
      arrived.resolve(response);
    });
    const leaver = new AbortController();
    const response = await ask(url, { signal: leaver.signal });
    const inner = await arrived.promise;
    await response.body?.getReader().read();
    leaver.abort();
    expect(await abortedAfter(inner)).toBeLessThan(250);
  });

  it('within its upload aborts the inner call', async () => {
    let arrived = Promise.withResolvers<http.IncomingMessage>();
    const { port } = await start((request) => {
      request.on('error', () => undefined).resume();
      arrived.resolve(request);
    });
    for (const framing of ['Content-Length: 100\r\n\r\nhalf', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n']) {
      arrived = Promise.withResolvers();
      const socket = net.connect(port, '127.0.0.1');
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nx-api-key: k\r\n${framing}`);
      const inner = await arrived.promise;
      socket.destroy();
      await new Promise<void>((resolve) => (inner.destroyed ? resolve() : inner.once('close', () => resolve())));
      expect(inner.complete).toBe(false);
    }
  });
});

describe('a body above the limit', () => {
  const limited = { ZAI_MAX_BODY_BYTES: '1024' };

  it.each([
    ['declared', `Content-Length: 5000000\r\n\r\n${'x'.repeat(100_000)}`],
    ['chunked', `Transfer-Encoding: chunked\r\n\r\n${`200\r\n${'x'.repeat(512)}\r\n`.repeat(3)}`],
  ])('(%s) is a 413 that closes the connection', async (_case, rest) => {
    const { port } = await start((request, response) => {
      request.resume().on('end', () => response.end('accepted'));
    }, limited);
    const socket = net.connect(port, '127.0.0.1');
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nx-api-key: k\r\n${rest}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    expect(String(answer).toLowerCase()).toContain('connection: close');
    expect(String(answer)).toContain('request_too_large');
    socket.destroy();
  });

  it('lets a chunked body below it through', async () => {
    const { url } = await start((request, response) => void text(request).then((body) => response.end(body)), limited);
    const chunked = new Blob(['{"a":', '"b"}']).stream();
    const response = await ask(url, { body: chunked, duplex: 'half' } as Init);
    expect(await response.text()).toBe('{"a":"b"}');
  });
});

describe('forwarding', () => {
  it('keeps bytes, status, query and headers, and leaves secrets and hop-by-hop headers behind', async () => {
    const body = Buffer.from([0, 255, 13, 10, 0xe4, 0xbd, 0xa0]);
    const seen: http.IncomingMessage[] = [];
    const { url } = await start((request, response) => {
      seen.push(request);
      response.writeHead(418, {
        'x-kept': 'yes',
        'keep-alive': 'timeout=1',
        'x-request-id': 'inner',
        vary: 'accept',
        'access-control-allow-origin': 'inner',
      });
      void buffer(request).then((bytes) => response.end(bytes));
    });
    const response = await ask(`${url}?beta=true`, {
      body,
      headers: {
        'x-api-key': 'k',
        cookie: 'a=b',
        origin: 'https://page.test',
        traceparent: '00-1',
        baggage: 'user=somebody',
        'x-zai-principal': '0123456789abcdef0123456789abcdef',
        'content-type': 'application/octet-stream',
      },
    });
    expect(response.status).toBe(418);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(body);
    expect(response.headers.get('x-kept')).toBe('yes');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('vary')).toBe('Origin, accept');
    expect(seen[0]?.url).toBe('/v1/chat/completions?beta=true');
    expect(seen[0]?.headers).toMatchObject({
      traceparent: '00-1',
      'x-request-id': response.headers.get('x-request-id'),
      // Not what the client says.
      'x-zai-principal': principalOfKey('k'),
    });
    for (const name of ['authorization', 'x-api-key', 'cookie', 'accept-encoding', 'baggage'])
      expect(seen[0]?.headers).not.toHaveProperty(name);
  });

  it('passes each frame on as it comes, and the headers before the first', async () => {
    const arrived = Promise.withResolvers<http.ServerResponse>();
    const { url } = await start((_request, response) => {
      response.writeHead(200, streamHead);
      response.flushHeaders();
      arrived.resolve(response);
    });
    const response = await ask(url);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const inner = await arrived.promise;
    const reader = response.body!.getReader();
    for (const frame of ['data: 你\n\n', 'data: 🚀\n\n']) {
      inner.write(frame);
      expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe(frame);
    }
    inner.end();
    expect((await reader.read()).done).toBe(true);
  });

  it('takes a connection for each request, so that none is sent on one that is being closed', async () => {
    const seen = new Set<net.Socket>();
    const { url } = await start((request, response) => {
      seen.add(request.socket);
      response.end('ok');
    });
    for (let turn = 0; turn < 3; turn++) expect(await (await ask(url)).text()).toBe('ok');
    expect(seen.size).toBe(3);
  });

  it('answers HEAD', async () => {
    const { port } = await start(
      (_request, response) => void response.writeHead(200, { 'content-length': 5 }).end('hello'),
    );
    const response = await fetch(`http://127.0.0.1:${port}/v1/models`, {
      method: 'HEAD',
      headers: { 'x-api-key': 'k' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('5');
  });

  it('reads no faster than the client', async () => {
    let written = 0;
    const blocked = Promise.withResolvers<undefined>();
    const { port } = await start((_request, response) => {
      response.writeHead(200, streamHead);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const total = 256 * 1024 * 1024;
      const write = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) {
            const timer = setTimeout(() => blocked.resolve(undefined), 300);
            response.once('drain', () => {
              clearTimeout(timer);
              write();
            });
            return;
          }
        }
      };
      write();
    });
    const socket = net.connect(port, '127.0.0.1').pause();
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nx-api-key: k\r\nContent-Length: 2\r\n\r\n{}');
    await blocked.promise;
    expect(written).toBeLessThan(64 * 1024 * 1024);
    socket.destroy();
  });

  it('can use a connection again whose body the translator did not read', async () => {
    const { port } = await start((_request, response) => void response.writeHead(400).end('no'));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    for (let turn = 0; turn < 3; turn++) {
      const request = http.request({
        port,
        agent,
        method: 'POST',
        path: '/v1/chat/completions',
        headers: { 'x-api-key': 'k' },
      });
      request.once('socket', (socket) => sockets.add(socket));
      request.end(Buffer.alloc(1024 * 1024));
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      expect(response.statusCode).toBe(400);
      expect(await text(response)).toBe('no');
    }
    expect(sockets.size).toBe(1);
    agent.destroy();
  });
});

describe('the stop', () => {
  it('lets a forwarded stream finish', async () => {
    const arrived = Promise.withResolvers<http.ServerResponse>();
    const { url, server } = await start((_request, response) => {
      response.writeHead(200, streamHead);
      response.write('first ');
      arrived.resolve(response);
    });
    const response = await ask(url);
    const stopped = server.stop(new AbortController().signal);
    (await arrived.promise).end('last');
    expect(await response.text()).toBe('first last');
    await stopped;
  });
});
