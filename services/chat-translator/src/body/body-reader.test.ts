import { once } from 'node:events';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type RequestState, type RunningServer } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import Koa from 'koa';
import { createBodyBudget, type BodyBudget } from './body-budget.ts';
import { createBodyReader } from './body-reader.ts';

const MAX_BYTES = 1024;
const MEBIBYTE = 1024 * 1024;

const encoders = {
  gzip: (bytes: Buffer) => zlib.gzipSync(bytes),
  'x-gzip': (bytes: Buffer) => zlib.gzipSync(bytes),
  GZIP: (bytes: Buffer) => zlib.gzipSync(bytes),
  deflate: (bytes: Buffer) => zlib.deflateSync(bytes),
  br: (bytes: Buffer) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: (bytes: Buffer) => zlib.zstdCompressSync(bytes),
};
const encodings = Object.keys(encoders) as (keyof typeof encoders)[];

describe('the body reader', () => {
  let server: RunningServer;
  let read: PromiseWithResolvers<unknown>;
  let maxBytes: number;
  let budget: BodyBudget;

  beforeEach(async () => {
    read = Promise.withResolvers();
    maxBytes = MAX_BYTES;
    budget = createBodyBudget({ limit: 64 * MEBIBYTE, waitMs: 20 });
    const app = new Koa<RequestState>();
    app.silent = true;
    app.use(async (ctx) => {
      let answer: unknown;
      try {
        answer = { body: await createBodyReader({ maxBytes, budget }).readJson(ctx) };
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

  it.each(encodings)('H08: takes off %s, also in small pieces', async (encoding) => {
    const body = { text: 'x'.repeat(500), more: ['你🚀'] };
    const bytes = encoders[encoding](Buffer.from(JSON.stringify(body)));
    expect(await post(bytes, { 'content-encoding': encoding })).toEqual({ body });
    const pieces = Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));
    const chunked = await fetch(`http://127.0.0.1:${server.port}/`, {
      method: 'POST',
      body: new Blob(pieces.map((piece) => new Uint8Array(piece))).stream(),
      headers: { 'content-encoding': encoding },
      duplex: 'half',
    } as RequestInit);
    expect(await chunked.json()).toEqual({ body });
  });

  it('H08: takes identity for no encoding', async () => {
    expect(await post('{}', { 'content-encoding': 'identity' })).toEqual({ body: {} });
  });

  it.each(['compress', 'gzip, br', 'gzip, gzip', 'constructor'])('H09: refuses the encoding %p', async (encoding) => {
    expect(await post('{}', { 'content-encoding': encoding })).toMatchObject({ code: 'unsupported_media_type' });
  });

  it.each(encodings)('H07: refuses bytes that are no %s, and such that break off', async (encoding) => {
    const refusal = { code: 'invalid_request', message: 'The body is not what its Content-Encoding says.' };
    const whole = encoders[encoding](Buffer.from(JSON.stringify('x'.repeat(500))));
    expect(await post('{}', { 'content-encoding': encoding })).toEqual(refusal);
    expect(await post(whole.subarray(0, whole.length - 3), { 'content-encoding': encoding })).toEqual(refusal);
  });

  it.each(encodings)('H07: stops a bomb in %s at the limit', async (encoding) => {
    const bomb = encoders[encoding](Buffer.alloc(MEBIBYTE));
    expect(bomb.length).toBeLessThan(3_000);
    expect(await post(bomb, { 'content-encoding': encoding })).toMatchObject({
      code: 'request_too_large',
      message: `The body is larger than ${MAX_BYTES} bytes.`,
    });
  });

  it('H07: stops a bomb by its ratio long before a high limit', async () => {
    maxBytes = 1_000 * MEBIBYTE;
    const bomb = encoders.gzip(Buffer.alloc(20 * MEBIBYTE));
    const answer = await post(bomb, { 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ code: 'request_too_large', message: expect.stringContaining('compressed') });
  });

  it('H07: does not let a sender choose the memory of its decoder', async () => {
    maxBytes = 64 * MEBIBYTE;
    const params = { [zlib.constants.ZSTD_c_windowLog]: 27, [zlib.constants.ZSTD_c_contentSizeFlag]: 0 };
    const stream = zlib.createZstdCompress({ params });
    stream.write(Buffer.alloc(16 * MEBIBYTE, '{}'));
    stream.end('{}');
    const bytes = await buffer(stream);
    expect(await post(bytes, { 'content-encoding': 'zstd' })).toMatchObject({ code: 'invalid_request' });
  });

  it('counts what it holds, and refuses what there is no room for', async () => {
    budget = createBodyBudget({ limit: 600, waitMs: 10 });
    const held = await budget.claim(400, new AbortController().signal);
    const full = { code: 'no_capacity', message: expect.stringContaining('Too many large requests') };
    const text = JSON.stringify('x'.repeat(300));
    expect(await post(text)).toEqual(full);
    // Known only as it comes.
    expect(await post(encoders.gzip(Buffer.from(text)), { 'content-encoding': 'gzip' })).toEqual(full);
    held.release();
    expect(await post(text)).toEqual({ body: 'x'.repeat(300) });
    expect(budget.claimed()).toBe(0);
  });

  it('refuses what is nested too deep or has too many values', async () => {
    maxBytes = MEBIBYTE;
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(await post(nested(200))).toHaveProperty('body');
    expect(await post(nested(201))).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('200') });
    expect(await post(JSON.stringify(Array(99_999).fill(0)))).toHaveProperty('body');
    expect(await post(JSON.stringify(Array(100_001).fill(0)))).toMatchObject({ code: 'invalid_request' });
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
