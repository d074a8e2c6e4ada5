import { once } from 'node:events';
import type http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { TurnError } from '@zai2api/turn';
import { afterEach, describe, expect, it } from '@jest/globals';
import Koa, { type Middleware } from 'koa';
import { createLogger } from '../create-logger.ts';
import { assignRequestId, type RequestState } from './assign-request-id.ts';
import { handleErrors } from './handle-errors.ts';
import { listen, type RunningServer } from './listen.ts';
import { logAccess } from './log-access.ts';
import { reportAppErrors } from './report-app-errors.ts';

const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(AbortSignal.abort())));
});

interface Line {
  readonly msg: string;
  readonly level: string;
  readonly [key: string]: unknown;
}

async function serve(middleware: Middleware<RequestState>) {
  const lines: Line[] = [];
  const waiting: { test: (line: Line) => boolean; resolve: (line: Line) => void }[] = [];
  const write = (text: string): void => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    for (const { test, resolve } of waiting) if (test(line)) resolve(line);
  };
  const logger = createLogger({ name: 'test', level: 'debug', format: 'json' }, { write });
  const app = new Koa<RequestState>();
  reportAppErrors(app, logger);
  app.use(assignRequestId());
  app.use(logAccess(logger));
  app.use(
    handleErrors({
      logger,
      encodeError: (error) => ({
        status: error.code === 'internal' ? 500 : 400,
        headers: { 'x-code': error.code },
        body: JSON.stringify({ code: error.code, message: error.message }),
      }),
    }),
  );
  app.use(middleware);
  const server = await listen(toListener(app), { host: '127.0.0.1', port: 0 });
  servers.push(server);
  const line = (test: (line: Line) => boolean): Promise<Line> => {
    const known = lines.find(test);
    return known ? Promise.resolve(known) : new Promise((resolve) => waiting.push({ test, resolve }));
  };
  return { url: `http://127.0.0.1:${server.port}`, port: server.port, lines, line };
}

function toListener(app: Koa<RequestState>): http.RequestListener {
  const callback = app.callback();
  return (request, response) => void callback(request, response);
}

const isAccess = (line: Line): boolean => line.msg === 'request';

describe('handleErrors', () => {
  it('answers a typed error and drops the headers of the answer that failed', async () => {
    const { url, lines } = await serve((ctx) => {
      ctx.type = 'text/event-stream';
      ctx.set('cache-control', 'no-cache');
      ctx.set('x-kept', 'yes');
      throw new TurnError('invalid_request', 'No.', { layer: 'client' });
    });
    const response = await fetch(url);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ code: 'invalid_request', message: 'No.' });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBeNull();
    expect(response.headers.get('x-kept')).toBe('yes');
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    expect(response.headers.get('request-id')).toBe(response.headers.get('x-request-id'));
    expect(lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('hides what is inside an unknown error, and logs it', async () => {
    const { url, line } = await serve(() => Promise.reject(new Error('secret plans')));
    const response = await fetch(url);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret plans');
    const logged = await line((each) => each.level === 'error');
    expect(logged).toMatchObject({ err: { code: 'internal', cause: { message: 'secret plans' } } });
  });

  it('takes over exposed errors of other packages', async () => {
    const { url } = await serve((ctx) => ctx.throw(413, 'request entity too large'));
    expect((await fetch(url)).headers.get('x-code')).toBe('request_too_large');
  });

  it('cuts the connection when the answer has begun', async () => {
    const { url } = await serve(async (ctx) => {
      ctx.respond = false;
      ctx.res.write('half an answer');
      await Promise.reject(new Error('broken'));
    });
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  });

  it('closes after a refused body only when the client could read the answer', async () => {
    const { port } = await serve((ctx) => {
      ctx.set('connection', 'close');
      throw new TurnError('request_too_large', 'Too large.', { layer: 'client' });
    });
    const socket = net.connect(port, '127.0.0.1');
    const length = 4 * 1024 * 1024;
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`);
    const answered = once(socket, 'data') as Promise<[Buffer]>;
    expect(String((await answered)[0])).toContain('HTTP/1.1 400');
    const rest = text(socket);
    socket.write(Buffer.alloc(length));
    expect(await rest).toBe('');
  });
});

describe('a refusal while the body is still on its way', () => {
  it('reaches a client that asked for the connection to be closed', async () => {
    const { port } = await serve(() => {
      throw new TurnError('invalid_request', 'no', { layer: 'client' });
    });
    const socket = net.connect(port, '127.0.0.1');
    const size = 8 * 1024 * 1024;
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size));
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 [^]*"code":"invalid_request"/);
  });
});

describe('logAccess', () => {
  it('writes path without query, status, bytes and ids once', async () => {
    const { url, line, lines } = await serve((ctx) => void (ctx.body = 'hello'));
    await (await fetch(`${url}/v1/models?key=secret`, { headers: { 'x-client-request-id': 'mine' } })).text();
    const logged = await line(isAccess);
    expect(logged).toMatchObject({
      method: 'GET',
      path: '/v1/models',
      status: 200,
      level: 'info',
      clientRequestId: 'mine',
    });
    expect(logged['bytes']).toBeGreaterThan(5);
    expect(lines.filter(isAccess)).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('says 499 when the client left, without an error line', async () => {
    const arrived = Promise.withResolvers<undefined>();
    const { port, line, lines } = await serve(async (ctx) => {
      arrived.resolve(undefined);
      await once(ctx.res, 'close');
      throw new DOMException('gone', 'AbortError');
    });
    const socket = net.connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await arrived.promise;
    socket.destroy();
    expect(await line(isAccess)).toMatchObject({ status: 499 });
    expect(lines.filter((each) => each.level === 'error')).toEqual([]);
  });

  it('keeps the health checks at debug', async () => {
    const { url, line } = await serve((ctx) => void (ctx.body = 'ok'));
    await fetch(`${url}/health`);
    expect(await line(isAccess)).toMatchObject({ level: 'debug' });
  });
});
