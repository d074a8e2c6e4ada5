import { once } from 'node:events';
import http from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createRuntime,
  listen,
  parseSettings,
  requestBodyOf,
  runtimeSettings,
  type RequestState,
  type RunningServer,
} from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Middleware, ParameterizedContext } from 'koa';
import { WebSocket, type ClientOptions } from 'ws';
import { gatewaySettings, resolveGatewaySettings } from '../config.ts';
import { createGateway } from '../gateway.ts';
import type { ConnectionTimes } from './responses-connection.ts';

type Context = ParameterizedContext<RequestState>;

interface Frame {
  readonly type: string;
  readonly stream_id?: string;
  readonly error?: { readonly code: string | null; readonly message: string };
}

const clients: WebSocket[] = [];
const servers: RunningServer[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await Promise.all(servers.splice(0).map((server) => server.stop(AbortSignal.abort())));
});

async function start(backend: (ctx: Context) => void | Promise<void>, times: Partial<ConnectionTimes> = {}) {
  const runtime = createRuntime({
    name: 'gateway',
    version: '1',
    settings: parseSettings(runtimeSettings, { ZAI_LOG_LEVEL: 'silent', ZAI_SHUTDOWN_TIMEOUT: '5' }),
  });
  const settings = resolveGatewaySettings(parseSettings(gatewaySettings, { ZAI_API_KEY: 'k' }));
  const handle: Middleware<RequestState> = (ctx) => backend(ctx);
  const gateway = createGateway({ settings, runtime, backend: handle, webSocketTimes: times });
  const server = await listen(gateway.callback, { host: '127.0.0.1', port: 0, upgrade: gateway.upgrade });
  servers.push(server);
  return { runtime, url: `ws://127.0.0.1:${server.port}/v1/responses` };
}

async function connect(url: string, options: ClientOptions = {}) {
  const socket = new WebSocket(url, { ...options, headers: { authorization: 'Bearer k' } });
  clients.push(socket);
  const frames: Frame[] = [];
  const listeners = new Set<() => void>();
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as Frame);
    for (const listener of listeners) listener();
  });
  const closed = once(socket, 'close').then(([code]) => Number(code));
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return {
    socket,
    frames,
    closed,
    create: (fields: object = {}) => socket.send(JSON.stringify({ type: 'response.create', input: 'hi', ...fields })),
    /** Resolves when so many frames have come. */
    async count(frameCount: number): Promise<Frame[]> {
      while (frames.length < frameCount) {
        const { promise, resolve } = Promise.withResolvers<undefined>();
        const listener = (): void => resolve(undefined);
        listeners.add(listener);
        await promise;
        listeners.delete(listener);
      }
      return frames.slice(0, frameCount);
    },
  };
}

const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const completed = event('response.completed', { response: { id: 'resp_1', store: false, output: [] } });

function stream(ctx: Context, text: string): void {
  ctx.respond = false;
  ctx.res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  ctx.res.write(text);
}

function answerAll(ctx: Context): void {
  stream(ctx, event('response.created', { response: { id: 'resp_1' } }));
  ctx.res.end(`${completed}data: [DONE]\n\n`);
}

/** Begins every answer and keeps it open. */
function hold() {
  const open: Context[] = [];
  return {
    open,
    backend: (ctx: Context): void => {
      open.push(ctx);
      stream(ctx, event('response.created', { response: { id: 'resp_1' } }));
    },
  };
}

describe('a connection', () => {
  it('W10: has an end: what runs is finished, and nothing new begins', async () => {
    const { open, backend } = hold();
    const { url } = await start(backend, { maxAgeMs: 150 });
    const client = await connect(url);
    client.create();
    await client.count(1);
    // Began later, and so ends later.
    await (
      await connect(url)
    ).closed;
    client.create();
    const [, refused] = await client.count(2);
    expect(refused).toMatchObject({
      type: 'error',
      status: 400,
      error: { code: 'websocket_connection_limit_reached' },
    });
    open[0]!.res.end(completed);
    const [, , last, limit] = await client.count(4);
    expect([last?.type, limit?.error?.code]).toEqual(['response.completed', 'websocket_connection_limit_reached']);
    expect(await client.closed).toBe(1000);
  });

  it('W10: says so when it is idle at its end', async () => {
    const { url } = await start(answerAll, { maxAgeMs: 50 });
    const client = await connect(url);
    expect(await client.closed).toBe(1000);
    expect(client.frames).toMatchObject([{ type: 'error', error: { code: 'websocket_connection_limit_reached' } }]);
  });

  it('is closed when nothing happens on it, but not while a response runs', async () => {
    const { open, backend } = hold();
    const { url } = await start(backend, { idleMs: 100 });
    const client = await connect(url);
    client.create();
    await client.count(1);
    // Idle from its beginning, which is later.
    await (
      await connect(url)
    ).closed;
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
    open[0]!.res.end(completed);
    await client.count(2);
    expect(await client.closed).toBe(1000);
  });

  it('is given up when its client answers no ping, and kept when it does', async () => {
    const { url } = await start(answerAll, { pingMs: 50 });
    const alive = await connect(url);
    const dead = await connect(url, { autoPong: false });
    expect(await dead.closed).toBe(1006);
    expect(alive.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('asks with its own key and headers, as POST, and says that it wants a stream', async () => {
    const seen: unknown[] = [];
    const { url } = await start(async (ctx) => {
      let body = '';
      for await (const chunk of requestBodyOf(ctx)) body += String(chunk);
      const { method, path, state } = ctx;
      seen.push({
        method,
        path,
        principal: state.principal,
        type: ctx.get('content-type'),
        body: JSON.parse(body) as unknown,
      });
      answerAll(ctx);
    });
    const client = await connect(url);
    client.create({ background: true, stream: false, model: 'glm', tools: null });
    await client.count(2);
    expect(seen).toEqual([
      {
        method: 'POST',
        path: '/v1/responses',
        principal: expect.stringMatching(/^[0-9a-f]{32}$/),
        type: 'application/json',
        body: {
          model: 'glm',
          tools: null,
          stream: true,
          input: [{ type: 'message', role: 'user', content: 'hi' }],
        },
      },
    ]);
  });
});

describe('an upgrade', () => {
  it.each([
    ['without a key', { 'sec-websocket-key': 'short' }, 'Missing or invalid Sec-WebSocket-Key header'],
    ['of another version', { 'sec-websocket-version': '7' }, 'Missing or invalid Sec-WebSocket-Version header'],
  ])('%s is refused in the words of the API, and its connection closed', async (_what, headers, message) => {
    const { url } = await start(answerAll);
    const request = http.get(url.replace('ws:', 'http:'), {
      // The client's side stays open: the server does not wait for it.
      agent: new http.Agent({ keepAlive: true }),
      headers: {
        authorization: 'Bearer k',
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        ...headers,
      },
    });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const closed = once(response.socket, 'close');
    expect([response.statusCode, response.headers['content-type']]).toEqual([400, 'application/json; charset=utf-8']);
    expect(await json(response)).toMatchObject({ error: { type: 'invalid_request_error', message } });
    await closed;
  });
});

describe('lanes', () => {
  it('W07: are at most eight, and what waits in them is bounded', async () => {
    const { backend } = hold();
    const { url } = await start(backend);
    const client = await connect(url);
    for (let lane = 0; lane < 9; lane++) client.create({ stream_id: `lane-${lane}` });
    const frames = await client.count(9);
    const refused = frames.filter(({ type }) => type === 'error');
    expect(refused).toMatchObject([
      { stream_id: 'lane-8', status: 429, error: { code: 'concurrency_limit_exceeded' } },
    ]);
    for (let waiting = 0; waiting < 17; waiting++) client.create({ stream_id: 'lane-0' });
    expect((await client.count(10)).at(-1)).toMatchObject({ stream_id: 'lane-0', status: 429 });
  });

  it('W07: hold so much in memory together, and have room again afterwards', async () => {
    const { open, backend } = hold();
    const { url } = await start(backend);
    const client = await connect(url);
    const input = 'x'.repeat(25 * 1024 * 1024);
    for (let create = 0; create < 3; create++) client.create({ input });
    const [, refused] = await client.count(2);
    expect(refused).toMatchObject({ type: 'error', status: 503, error: { code: 'too_many_large_requests' } });
    open[0]!.res.end(completed);
    await client.count(4);
    client.create({ input, stream_id: 'other' });
    expect((await client.count(5)).at(-1)).toMatchObject({ type: 'response.created', stream_id: 'other' });
    // A hundred megabytes of JSON.
  }, 60_000);

  it('W07: go on behind a failure', async () => {
    let asked = 0;
    const { url } = await start((ctx) => {
      asked++;
      if (asked === 1) throw new TurnError('no_capacity', 'None.', { layer: 'pool', retryAfterSeconds: 3 });
      answerAll(ctx);
    });
    const client = await connect(url);
    client.create();
    client.create();
    expect(await client.count(3)).toMatchObject([
      { type: 'error', status: 503, headers: { 'retry-after': '3', 'retry-after-ms': '3000' } },
      { type: 'response.created' },
      { type: 'response.completed' },
    ]);
  });
});

describe('an answer', () => {
  it.each<[string, (ctx: Context) => void]>([
    ['is cut', (ctx) => ctx.res.destroy()],
    ['ends without its last event', (ctx) => ctx.res.end()],
    [
      'ends in an error event',
      (ctx) =>
        ctx.res.end(
          event('error', { code: 'x', error: { type: 'server_error', code: 'x', message: 'm', param: null } }),
        ),
    ],
  ])('that %s is an error frame', async (_what, end) => {
    const { open, backend } = hold();
    const { url } = await start(backend);
    const client = await connect(url);
    client.create();
    await client.count(1);
    end(open[0]!);
    expect((await client.count(2)).at(-1)).toMatchObject({ type: 'error', error: { type: 'server_error' } });
    client.create();
    await client.count(3);
  });

  it('waits for a client that does not read, and goes on when it does', async () => {
    const total = 40 * 1024 * 1024;
    const piece = event('response.output_text.delta', { delta: 'x'.repeat(64 * 1024) });
    let written = 0;
    const { url } = await start(async (ctx) => {
      stream(ctx, event('response.created', { response: { id: 'resp_1' } }));
      while (written < total && !ctx.res.destroyed) {
        written += piece.length;
        if (!ctx.res.write(piece)) await once(ctx.res, 'drain');
      }
      ctx.res.end(completed);
    });
    const client = await connect(url);
    client.create();
    await client.count(1);
    client.socket.pause();
    let before = -1;
    // Nothing is written any more when all buffers are full.
    while (before !== written) {
      before = written;
      await wait(150);
    }
    expect(written).toBeLessThan(total / 2);
    client.socket.resume();
    while (client.frames.at(-1)?.type !== 'response.completed') await client.count(client.frames.length + 1);
    expect(written).toBeGreaterThanOrEqual(total);
  });

  it('W09: is cancelled when the client vanishes while it is not reading', async () => {
    const gone = Promise.withResolvers<undefined>();
    const full = Promise.withResolvers<undefined>();
    const { url } = await start(async (ctx) => {
      stream(ctx, event('response.created', { response: { id: 'resp_1' } }));
      ctx.res.once('close', () => gone.resolve(undefined));
      while (!ctx.res.destroyed) {
        const isFree = ctx.res.write(event('response.output_text.delta', { delta: 'x'.repeat(64 * 1024) }));
        if (!isFree) full.resolve(undefined);
        if (!isFree) await Promise.race([once(ctx.res, 'drain'), gone.promise]);
      }
    });
    const client = await connect(url);
    client.create();
    await client.count(1);
    client.socket.pause();
    await full.promise;
    client.socket.terminate();
    await gone.promise;
  });
});
