import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { scenario } from '../support/chat-client.ts';
import { chunksOf, hasContent, joinChunks, readEventStream, type EventStream } from '../support/event-stream.ts';
import { openResponsesSocket, outputText, type ResponsesSocket } from '../support/responses-socket.ts';
import { startProcess, urlOf } from '../support/start-process.ts';
import { createTlsFiles } from '../support/tls-files.ts';
import { waitFor } from '../support/wait-for.ts';
import { startNginx, type Nginx } from './support/start-nginx.ts';

/** Well above what a test waits for. */
jest.setTimeout(90_000);

let answer: http.RequestListener;
const gateway = http.createServer((request, response) => answer(request, response));
const sockets = new WebSocketServer({ noServer: true });
gateway.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (webSocket) =>
    webSocket.on('message', (data: Buffer) =>
      webSocket.send(`${request.url ?? ''} ${String(request.headers['authorization'])} ${data.toString()}`),
    ),
  ),
);

let nginx: Nginx;
let url: string;

beforeAll(async () => {
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  nginx = await startNginx((gateway.address() as AddressInfo).port);
  ({ url } = nginx);
});

afterAll(async () => {
  sockets.close();
  gateway.closeAllConnections();
  gateway.close();
  await nginx[Symbol.asyncDispose]();
});

beforeEach(() => {
  answer = (request, response) => void request.resume().on('end', () => response.end('ok'));
});

describe('nginx in front of the gateway', () => {
  it('hands on each piece of a stream before the next one is made', async () => {
    const begun = Promise.withResolvers<http.ServerResponse>();
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      begun.resolve(response);
    };
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    const reader = response.body!.getReader();
    const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
    const inner = await begun.promise;
    expect(await next()).toBe('data: 1\n\n');
    for (const piece of [': keep-alive\n\n', 'data: 2\n\n']) {
      inner.write(piece);
      expect(await next()).toBe(piece);
    }
    inner.end();
    expect((await reader.read()).done).toBe(true);
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  it('tells the gateway at once when the client leaves', async () => {
    const begun = Promise.withResolvers<http.ServerResponse>();
    answer = (_request, response) => {
      response.write('data: 1\n\n');
      begun.resolve(response);
    };
    const leaver = new AbortController();
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{}', signal: leaver.signal });
    const inner = await begun.promise;
    await response.body!.getReader().read();
    leaver.abort();
    await once(inner, 'close', { signal: AbortSignal.timeout(10_000) });
    expect(inner.writableFinished).toBe(false);
  });

  it('lets WebSockets through', async () => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${nginx.port}/v1/responses?model=glm`, {
      headers: { authorization: 'Bearer sk-a' },
    });
    await once(webSocket, 'open', { signal: AbortSignal.timeout(10_000) });
    webSocket.send('hello');
    const [message] = (await once(webSocket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    expect(String(message)).toBe('/v1/responses?model=glm Bearer sk-a hello');
    webSocket.close();
    await once(webSocket, 'close');
  });

  it('says who asked and how, and ends the inner connection with the answer', async () => {
    let seen: http.IncomingHttpHeaders = {};
    answer = (request, response) => {
      seen = request.headers;
      response.end('ok');
    };
    await (await fetch(`${url}/v1/models`, { headers: { 'x-forwarded-for': '203.0.113.9' } })).text();
    expect(seen).toMatchObject({
      host: `127.0.0.1:${nginx.port}`,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      connection: 'close',
    });
  });

  it('takes the bodies that the gateway takes', async () => {
    answer = (request, response) => void text(request).then((body) => response.end(String(body.length)));
    const size = 32 * 1024 * 1024;
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(size, 'x') });
    expect(await response.text()).toBe(String(size));
  });

  it('takes more of them at a time than it has room for', async () => {
    answer = (request, response) => void text(request).then((body) => response.end(String(body.length)));
    const size = 32 * 1024 * 1024;
    const body = Buffer.alloc(size, 'x');
    const responses = await Promise.all(Array.from({ length: 10 }, () => fetch(url, { method: 'POST', body })));
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual(
      Array<string>(10).fill(String(size)),
    );
  });

  it.each([1_000, 900_000])('gives the gateway a body of %d bytes when it is whole', async (size) => {
    let askedAtMs = 0;
    answer = (request, response) => {
      askedAtMs = performance.now();
      void text(request).then((body) => response.end(String(body.length)));
    };
    const request = http.request(url, { method: 'POST', headers: { 'content-length': size } });
    request.write('x'.repeat(size - 1));
    // What nginx has, it would have handed on long before another request is over.
    await (await fetch(`${nginx.url}/nginx-health`)).text();
    const wholeAtMs = performance.now();
    request.end('x');
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(await text(response)).toBe(String(size));
    expect(askedAtMs).toBeGreaterThan(wholeAtMs);
  });

  it.each([
    ['large', { 'content-length': '2000000' }],
    ['of unknown length', { 'transfer-encoding': 'chunked' }],
  ])('hands on a body that is %s as it comes', async (_what, headers) => {
    const asked = Promise.withResolvers<http.IncomingMessage>();
    answer = (request, response) => {
      asked.resolve(request);
      void text(request).then((body) => response.end(String(body.length)));
    };
    const request = http.request(url, { method: 'POST', headers });
    request.write('x'.repeat(1_000_000));
    const inner = await asked.promise;
    expect(inner.complete).toBe(false);
    request.end('x'.repeat(1_000_000));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(await text(response)).toBe('2000000');
  });

  it('refuses larger ones in JSON', async () => {
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(41 * 1024 * 1024, 'x') });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'request_too_large' } });
  });

  it('takes the first byte of an answer as it is, whatever its status', async () => {
    answer = (_request, response) => response.writeHead(503, { 'retry-after': '7' }).end('{"error":{}}');
    const response = await fetch(url);
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
      503,
      '7',
      '{"error":{}}',
    ]);
  });

  it('answers in JSON when no gateway does', async () => {
    answer = (request) => request.socket.destroy();
    const response = await fetch(`${url}/v1/messages`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ type: 'error', error: { code: 'upstream_unreachable' } });
  });

  it('logs neither query nor key', async () => {
    await (await fetch(`${url}/v1/logged?key=sk-in-the-query`, { headers: { 'x-api-key': 'sk-in-a-header' } })).text();
    const line = await waitFor(
      async () => (await nginx.logs()).split('\n').find((each) => each.includes('/v1/logged')),
      {
        withinMs: 10_000,
      },
    );
    expect(JSON.parse(line)).toMatchObject({ method: 'GET', path: '/v1/logged', status: 200 });
    expect(await nginx.logs()).not.toContain('sk-in');
  });
});

/** What is answered to these bytes, and whatever follows the head of the answer. */
async function sendRaw(socket: net.Socket, bytes: string): Promise<{ status: number; head: string; body: string }> {
  const whole = text(socket);
  socket.write(bytes);
  const [head = '', body = ''] = (await whole).split('\r\n\r\n', 2);
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body };
}

describe('what nginx says by itself', () => {
  const long = 'x'.repeat(40_000);
  let proxy: Nginx;
  let files: Awaited<ReturnType<typeof createTlsFiles>>;
  let ca: Buffer;

  beforeAll(async () => {
    files = await createTlsFiles();
    ca = await readFile(join(files.folder, 'ca.crt'));
    const { port } = gateway.address() as AddressInfo;
    const certificate = { certificate: join(files.folder, 'server.crt'), key: join(files.folder, 'server.key') };
    proxy = await startNginx(port, { tls: certificate, disk: '512k' });
  });

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await files.close();
  });

  const secure = async (bytes: string): ReturnType<typeof sendRaw> => {
    const socket = tls.connect({ host: '127.0.0.1', port: proxy.port, ca });
    await once(socket, 'secureConnect');
    return sendRaw(socket, bytes);
  };
  const plain = (port: number, bytes: string): ReturnType<typeof sendRaw> =>
    sendRaw(net.connect({ host: '127.0.0.1', port }), bytes);
  const request = (line: string, ...headers: string[]): string =>
    [`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n');

  const malformed: [string, string][] = [
    ['a line that is no request', 'GARBAGE\r\n\r\n'],
    ['an unknown version', 'GET / HTTP/3.0\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a path that leads out', request('GET /../../x')],
    ['a length that is none', request('POST /', 'Content-Length: many')],
    ['an unknown encoding', request('POST /', 'Transfer-Encoding: unknown')],
    ['a method that no proxy takes', request('TRACE /')],
    ['a connection to elsewhere', request('CONNECT elsewhere:443')],
  ];

  it.each([
    ...malformed.map(([what, bytes]) => [what, bytes, 400, 'invalid_request'] as const),
    ['a long URL', request(`GET /${long}`), 431, 'invalid_request'] as const,
    ['a long header', request('GET /', `X-Long: ${long}`), 431, 'invalid_request'] as const,
    ['a long body', request('POST /', 'Content-Length: 50000000'), 413, 'request_too_large'] as const,
    ['a page of its own', request('GET /.nginx/malformed'), 404, 'not_found'] as const,
  ])('is JSON: %s', async (_what, bytes, status, code) => {
    for (const answered of [await secure(bytes), await plain(proxy.plainPort, bytes)]) {
      // The other site has nothing to ask for but the way here.
      if (answered.status === 308) continue;
      expect([answered.status, JSON.parse(answered.body)]).toMatchObject([status, { type: 'error', error: { code } }]);
      expect(answered.head).toContain('content-type: application/json');
      expect(answered.head).not.toMatch(/server: nginx\//);
    }
  });

  it('is JSON without TLS where TLS is expected', async () => {
    const { status, body } = await plain(proxy.port, request('GET /v1/models'));
    expect([status, JSON.parse(body)]).toMatchObject([400, { error: { message: expect.stringContaining('TLS') } }]);
  });

  it('is JSON with TLS where none is expected', async () => {
    const { status, body } = await plain(proxy.plainPort, '\x16\x03\x01\x02\x00\x01\r\n\r\n');
    expect([status, JSON.parse(body)]).toMatchObject([400, { type: 'error' }]);
  });

  it('is JSON, and a reason to come back, when its disk is full', async () => {
    const body = 'x'.repeat(900_000);
    const { status, head, body: said } = await secure(request('POST /', `Content-Length: ${body.length}`) + body);
    expect([status, JSON.parse(said)]).toMatchObject([503, { error: { code: 'server_is_overloaded' } }]);
    expect(head).toContain('retry-after: 1');
    // Large ones do not need it.
    answer = (incoming, response) => void text(incoming).then((all) => response.end(String(all.length)));
    const large = await secure(request('POST /', 'Content-Length: 4000000') + 'x'.repeat(4_000_000));
    expect(large).toMatchObject({ status: 200, body: '4000000' });
  });
});

describe.each([false, true])('the gateway behind nginx (TLS: %s)', (usesTls) => {
  const key = 'sk-behind-nginx';
  const headers = { authorization: `Bearer ${key}` };
  const closers: (() => PromiseLike<unknown>)[] = [];
  let upstream: FakeUpstream;
  let ca: Buffer;
  let proxy: Nginx;

  beforeAll(async () => {
    const certificates = await createTlsFiles();
    closers.push(() => certificates.close());
    const { folder } = certificates;
    ca = await readFile(join(folder, 'ca.crt'));
    upstream = await startFakeUpstream();
    closers.push(() => upstream.close());
    const translator = startProcess('chat-translator', {
      ZAI_API_BASE: upstream.url,
      ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
      ZAI_TRANSLATOR_HOST: '127.0.0.1',
      ZAI_TRANSLATOR_PORT: '0',
    });
    closers.push(() => translator.close());
    const edge = startProcess('gateway', {
      ZAI_HOST: '127.0.0.1',
      ZAI_PORT: '0',
      ZAI_API_KEY: key,
      ZAI_TRANSLATOR_URL: urlOf(await translator.listening),
    });
    closers.push(() => edge.close());
    const port = Number((await edge.listening)['port']);
    const files = { certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') };
    proxy = await startNginx(port, { tls: usesTls ? files : undefined });
    closers.push(() => proxy[Symbol.asyncDispose]());
  });

  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  async function post(path: string, body: object): Promise<EventStream> {
    const request = (usesTls ? https : http).request(`${proxy.url}${path}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      ca,
    });
    request.end(JSON.stringify(body));
    const [message] = (await once(request, 'response')) as [http.IncomingMessage];
    const status = message.statusCode ?? 0;
    return readEventStream(new Response(Readable.toWeb(message) as ReadableStream, { status }));
  }

  const open = (): Promise<ResponsesSocket> => openResponsesSocket(proxy.url, headers, { ca });
  const prompt = scenario('slow frames=2 delay=2000');
  /** Whether the upstream has made all of the latest answer. */
  const isMade = (): boolean =>
    upstream.log.findLast((request) => request.scenario === 'slow')?.finishedAtMs !== undefined;

  it('shows the first token before the second is made', async () => {
    const messages = [{ role: 'user', content: prompt }];
    const events = await post('/v1/chat/completions', { model: 'glm-4.7-nothinking', stream: true, messages });
    expect(events.status).toBe(200);
    await events.find(hasContent);
    expect(isMade()).toBe(false);
    expect(joinChunks(chunksOf(await events.rest()))).toMatchObject({ finishReasons: ['stop'], errors: [] });
  });

  it('streams Responses over WebSocket, and the first token before the second is made', async () => {
    using client = await open();
    client.send({ type: 'response.create', model: 'glm-4.7-nothinking', input: prompt, store: false });
    const first = await client.until('response.output_text.delta');
    expect(isMade()).toBe(false);
    const rest = await client.until('response.completed');
    expect(rest.at(-1)?.type).toBe('response.completed');
    expect(outputText([...first, ...rest])).toBe('word1 word2 ');
  });

  it('ends what a WebSocket asked for when its client leaves', async () => {
    const client = await open();
    const input = scenario('stall-after-content');
    client.send({ type: 'response.create', model: 'glm-4.7-nothinking', input, store: false });
    await client.until('response.output_text.delta');
    client.socket.terminate();
    await upstream.waitForAbort(({ path }) => path === '/api/v2/chat/completions', 10_000);
  });

  it('says why it refuses a large body, whoever is still sending', async () => {
    for (const [size, sent, status, code] of [
      [32 * 1024 * 1024, {}, 401, 'invalid_api_key'],
      [36 * 1024 * 1024, headers, 413, 'request_too_large'],
    ] as const) {
      const request = (usesTls ? https : http).request(`${proxy.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...sent, 'content-type': 'application/json' },
        ca,
      });
      request.end(Buffer.alloc(size, ' '));
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      expect([response.statusCode, await text(response)]).toEqual([status, expect.stringContaining(code)]);
    }
  });

  it('refuses a WebSocket without a key', async () => {
    const socket = new WebSocket(`${proxy.url.replace(/^http/, 'ws')}/v1/responses`, { ca });
    const [, response] = (await once(
      socket.on('error', () => undefined),
      'unexpected-response',
    )) as [unknown, http.IncomingMessage];
    expect([response.statusCode, await text(response)]).toEqual([
      401,
      expect.stringContaining('invalid_request_error'),
    ]);
  });
});
