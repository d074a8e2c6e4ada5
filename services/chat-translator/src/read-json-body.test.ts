import { once } from 'node:events';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type RequestState, type RunningServer } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import Koa from 'koa';
import { readJsonBody } from './read-json-body.ts';

const MAX_BYTES = 1024;

describe('readJsonBody', () => {
  let server: RunningServer;
  let read: PromiseWithResolvers<unknown>;

  beforeEach(async () => {
    read = Promise.withResolvers();
    const app = new Koa<RequestState>();
    app.silent = true;
    app.use(async (ctx) => {
      let answer: unknown;
      try {
        answer = { body: await readJsonBody(ctx, MAX_BYTES) };
      } catch (reason) {
        const { code, message } = TurnError.from(reason);
        answer = { code, message };
      }
      read.resolve(answer);
      ctx.body = JSON.stringify(answer);
    });
    const handler = app.callback();
    server = await listen((request, response) => void handler(request, response), { host: '127.0.0.1', port: 0 });
  });
  afterEach(() => server.stop(AbortSignal.abort()));

  async function post(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<unknown> {
    const url = `http://127.0.0.1:${server.port}/`;
    const all = { 'content-type': 'application/json', ...headers };
    const response = await fetch(url, { method: 'POST', body: Buffer.from(body), headers: all });
    return response.json();
  }

  it.each<[string, string, unknown]>([
    ['an object', '{"a":[1,null]}', { a: [1, null] }],
    ['a byte order mark', '\u{FEFF}{"a":1}', { a: 1 }],
    ['characters beyond ASCII', '"你🚀"', '你🚀'],
    ['a value that is no object', '7', 7],
    ['white space round it', ' \n{}\n', {}],
    ['exactly the limit', JSON.stringify('x'.repeat(MAX_BYTES - 2)), 'x'.repeat(MAX_BYTES - 2)],
  ])('reads %s', async (_name, text, body) => {
    expect(await post(text)).toEqual({ body });
  });

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.openai.v1+json', ''])(
    'takes the media type %p',
    async (type) => {
      expect(await post('{}', { 'content-type': type })).toEqual({ body: {} });
    },
  );

  it.each(['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'refuses the media type %s',
    async (type) => {
      expect(await post('{}', { 'content-type': type })).toMatchObject({ code: 'unsupported_media_type' });
    },
  );

  it('refuses a compressed body', async () => {
    expect(await post(gzipSync('{}'), { 'content-encoding': 'gzip' })).toMatchObject({
      code: 'unsupported_media_type',
    });
    expect(await post('{}', { 'content-encoding': 'identity' })).toEqual({ body: {} });
  });

  it.each(['', '{', '{"a":1}}', 'undefined', '\u{FEFF}'])('refuses %p, which is no JSON', async (text) => {
    expect(await post(text)).toEqual({ code: 'invalid_request', message: 'The body is not valid JSON.' });
  });

  it('refuses a body over the limit, told or not', async () => {
    expect(await post('x'.repeat(MAX_BYTES + 1))).toMatchObject({ code: 'request_too_large' });
    const stream = new Blob(['{"a":"', 'x'.repeat(MAX_BYTES), '"}']).stream();
    const chunked = await fetch(`http://127.0.0.1:${server.port}/`, {
      method: 'POST',
      body: stream,
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
    } as RequestInit);
    expect(await chunked.json()).toMatchObject({ code: 'request_too_large' });
  });

  it('ends when the client leaves within its body', async () => {
    const socket = net.connect({ port: server.port, host: '127.0.0.1' });
    await once(socket, 'connect');
    const arrived = once(server.server, 'request');
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a":');
    await arrived;
    socket.destroy();
    expect(await read.promise).toHaveProperty('code');
  });
});
