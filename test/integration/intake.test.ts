import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chatBody, scenario, type ErrorBody } from '../support/chat-client.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const MEBIBYTE = 1024 * 1024;
const encoders = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: (text: string | Buffer) =>
    zlib.brotliCompressSync(text, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } }),
  zstd: zlib.zstdCompressSync,
} satisfies Record<string, (text: string | Buffer) => Buffer>;
const encodings = Object.keys(encoders) as (keyof typeof encoders)[];
const endpoint = '/v1/chat/completions';

const post = (url: string, body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url + endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
const errorOf = async (response: Response): Promise<ErrorBody['error']> => ((await response.json()) as ErrorBody).error;
const question = JSON.stringify(chatBody('hi'));

/** The same cases in one process and over the inner hop. */
function behaves(where: () => string): void {
  it.each(encodings)('H08: a body in %s is read', async (encoding) => {
    const response = await post(where(), encoders[encoding](question), { 'content-encoding': encoding });
    expect([response.status, await response.json()]).toMatchObject([200, { object: 'chat.completion' }]);
  });

  it.each(encodings)('H07: a bomb in %s is 413, quickly', async (encoding) => {
    const bomb = encoders[encoding](Buffer.alloc(48 * MEBIBYTE, 'x'));
    expect(bomb.length).toBeLessThan(MEBIBYTE);
    const startedAtMs = performance.now();
    const response = await post(where(), bomb, { 'content-encoding': encoding });
    expect([response.status, await errorOf(response)]).toMatchObject([413, { code: 'request_too_large' }]);
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  it.each(encodings)('H07: what is no %s is 400', async (encoding) => {
    const response = await post(where(), question, { 'content-encoding': encoding });
    expect([response.status, await errorOf(response)]).toMatchObject([400, { type: 'invalid_request_error' }]);
  });

  it('H09: an unknown encoding is 415', async () => {
    const response = await post(where(), question, { 'content-encoding': 'rot13' });
    expect([response.status, await errorOf(response)]).toMatchObject([415, { code: 'unsupported_media_type' }]);
  });

  it('a connection serves on after a refused body', async () => {
    for (let round = 0; round < 3; round++) {
      expect((await post(where(), 'x'.repeat(100_000), { 'content-encoding': 'gzip' })).status).toBe(400);
      expect((await post(where(), question)).status).toBe(200);
    }
  });

  it('prototype names in a body change nothing', async () => {
    const body = `{"__proto__":{"stream":true,"model":"nothing"},"constructor":{"prototype":{"stream":true}},${question.slice(1)}`;
    const response = await post(where(), body);
    expect([response.status, await response.json()]).toMatchObject([200, { object: 'chat.completion' }]);
    expect(({} as Record<string, unknown>)['stream']).toBeUndefined();
  });

  it('of two fields with one name the last counts', async () => {
    const response = await post(where(), `{"model":"nothing",${question.slice(1)}`);
    expect(response.status).toBe(200);
  });

  it('Expect: 100-continue is answered before the body is sent', async () => {
    const { hostname, port } = new URL(where());
    const request = httpRequest({
      hostname,
      port,
      path: endpoint,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': question.length, expect: '100-continue' },
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      request.once('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.once('error', reject);
    });
    await new Promise((resolve) => {
      request.once('continue', resolve);
      request.flushHeaders();
    });
    request.end(question);
    expect(await answered).toBe(200);
  });

  it.each([
    [30, 200],
    [40, 431],
  ])('a header block of %d KiB is %d', async (kibibytes, status) => {
    const response = await post(where(), question, { 'x-codex-metadata': 'x'.repeat(kibibytes * 1024) });
    expect(response.status).toBe(status);
    await response.text();
  });
}

describe('bodies in one process', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.close());
  behaves(() => stack.url);
});

describe('bodies in processes', () => {
  let upstream: FakeUpstream;
  let translator: ServiceProcess;
  let gateway: ServiceProcess;
  let url: string;
  beforeAll(async () => {
    upstream = await startFakeUpstream();
    translator = startProcess('chat-translator', {
      ZAI_API_BASE: upstream.url,
      ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
      ZAI_TRANSLATOR_HOST: '127.0.0.1',
      ZAI_TRANSLATOR_PORT: '0',
    });
    gateway = startProcess('gateway', { ZAI_PORT: '0', ZAI_TRANSLATOR_URL: urlOf(await translator.listening) });
    url = urlOf(await gateway.listening);
  }, 30_000);
  afterAll(() => Promise.all([gateway.close(), translator.close(), upstream.close()]));
  behaves(() => url);
});

describe('ZAI_MAX_BODIES_BYTES', () => {
  it('refuses with 503 and Retry-After what there is no memory for, and serves again', async () => {
    await using stack = await startStack({ env: { ZAI_MAX_BODIES_BYTES: '20000', ZAI_MAX_BODY_BYTES: '20000' } });
    const { hostname, port } = new URL(stack.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    // Announces a body and does not send it.
    socket.write(
      `POST ${endpoint} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 19000\r\n\r\n{`,
    );
    const held = () => stack.metric('zai_translator_request_body_bytes');
    await waitFor(async () => (await held()) === 19_000, { withinMs: 2_000 });
    const refused = await post(stack.url, JSON.stringify(chatBody('x'.repeat(5_000))));
    expect([refused.status, await errorOf(refused)]).toMatchObject([503, { code: 'too_many_large_requests' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const waiting = post(stack.url, JSON.stringify(chatBody('x'.repeat(5_000))));
    socket.destroy();
    expect((await waiting).status).toBe(200);
    await waitFor(async () => (await held()) === 0, { withinMs: 2_000 });
  }, 20_000);

  it('does not count a body whose answer has begun', async () => {
    await using stack = await startStack();
    const leaving = new AbortController();
    const response = await fetch(stack.url + endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chatBody(scenario('stall-after-content'), { stream: true })),
      signal: leaving.signal,
    });
    expect(response.status).toBe(200);
    await waitFor(async () => (await stack.metric('zai_translator_request_body_bytes')) === 0, { withinMs: 2_000 });
    leaving.abort();
  });
});
