import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { postChat, type ErrorBody } from '../support/chat-client.ts';
import { joinChunks, chunksOf, openStream } from '../support/event-stream.ts';
import { startStack, type Stack, type StackOptions } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const pngUrl = `data:image/png;base64,${png.toString('base64')}`;
const visionModel = 'glm-4.6v-nothinking';
const completionPath = '/api/v2/chat/completions';
const filesPath = '/api/v1/files/';

const text = (words: string): unknown => ({ type: 'text', text: words });
const image = (url: string): unknown => ({ type: 'image_url', image_url: { url } });
const user = (...content: unknown[]): unknown => ({ role: 'user', content });

/** A stack whose pool has a user's token and, as no guest is ever minted, nothing else. */
const withUser = (options: StackOptions = {}): Promise<Stack> =>
  startStack({
    ...options,
    env: (upstream) => ({
      ZAI_ANON_TOKEN_ENABLED: 'false',
      ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
      ...(typeof options.env === 'function' ? options.env(upstream) : options.env),
    }),
  });

const ask = (stack: Stack, messages: readonly unknown[], body: Record<string, unknown> = {}): Promise<Response> =>
  postChat(stack.url, '', { body: { model: visionModel, messages, ...body } });

async function errorOf(response: Response): Promise<unknown> {
  const { error } = (await response.json()) as ErrorBody;
  return { status: response.status, code: error.code, param: error.param };
}

const requestsTo = ({ upstream }: Stack, path: string): readonly ReceivedRequest[] =>
  upstream.log.filter((request) => request.path === path);

/** What the only completion said. */
function completionBody(stack: Stack): Record<string, unknown> {
  const completions = requestsTo(stack, completionPath);
  expect(completions.map(({ faults }) => faults)).toEqual([[]]);
  return completions[0]!.body as Record<string, unknown>;
}

describe('C15: an image as a data URL', () => {
  it('is uploaded and referred to in both places', async () => {
    await using stack = await withUser();
    const response = await ask(stack, [user(text('What is it?'), image(pngUrl))]);
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { choices: [{ message: { content: 'Hello from GLM. You said: What is it?' } }] },
    ]);
    const [stored] = stack.upstream.files();
    expect(stored).toMatchObject({ filename: 'image-1.png', contentType: 'image/png', size: png.length });
    const body = completionBody(stack);
    expect(body).toMatchObject({
      messages: [
        { role: 'user', content: [text('What is it?'), { type: 'image_url', image_url: { url: stored!.id } }] },
      ],
      signature_prompt: 'What is it?',
      files: [
        {
          type: 'image',
          media: 'image',
          id: stored!.id,
          file: { id: stored!.id, filename: 'image-1.png', meta: { size: png.length } },
          url: `/api/v1/files/${stored!.id}/content`,
          name: 'image-1.png',
          size: png.length,
          status: 'uploaded',
          error: '',
          ref_user_msg_id: body['current_user_message_id'],
        },
      ],
      features: { auto_web_search: false },
      mcp_servers: ['vlm-image-search', 'vlm-image-recognition', 'vlm-image-processing'],
    });
    const [upload] = requestsTo(stack, filesPath);
    expect(upload?.headers).toMatchObject({ origin: stack.upstream.url, referer: `${stack.upstream.url}/` });
    expect(upload?.headers).not.toHaveProperty('cookie');
    await waitFor(() => stack.upstream.chats().length === 0, { withinMs: 2_000, what: 'the chat to be deleted' });
  });

  it('arrives whole when it is large', async () => {
    await using stack = await withUser();
    const large = Buffer.concat([png, Buffer.alloc(15_000_000, 'x')]);
    const response = await ask(stack, [user(image(`data:image/png;base64,${large.toString('base64')}`))]);
    expect(response.status).toBe(200);
    expect(stack.upstream.files()).toMatchObject([{ size: large.length }]);
  });

  it('works in a stream', async () => {
    await using stack = await withUser();
    const stream = await openStream(stack.url, '', {
      body: { model: visionModel, messages: [user(image(pngUrl), text('And?'))] },
    });
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({
      text: 'Hello from GLM. You said: And?',
      errors: [],
    });
  });

  it('of an earlier message goes along in the order of the conversation', async () => {
    await using stack = await withUser();
    const response = await ask(stack, [
      user(text('First.'), image(pngUrl)),
      { role: 'assistant', content: 'A dot.' },
      user(image(pngUrl), image(pngUrl), text('And these?')),
    ]);
    expect(response.status).toBe(200);
    const body = completionBody(stack);
    const ids = (body['files'] as { id: string }[]).map(({ id }) => id);
    expect(ids).toEqual(['image-1.png', 'image-2.png', 'image-3.png'].map((name) => fileId(stack, name)));
    const [message] = body['messages'] as { content: { text?: string; image_url?: { url: string } }[] }[];
    expect(message!.content.slice(1).map((part) => part.image_url?.url)).toEqual(ids);
    const prompt = String(body['signature_prompt']);
    expect(message!.content[0]?.text).toBe(prompt);
    expect(prompt).toMatch(/First\.\n\[image 1\][\s\S]*A dot\.[\s\S]*And these\?\n\[image 2\] \[image 3\]/);
    expect(prompt).not.toContain('base64');
  });

  const fileId = (stack: Stack, name: string): string | undefined =>
    stack.upstream.files().find(({ filename }) => filename === name)?.id;

  it.each<[string, string, unknown]>([
    ['that is no Base64', 'data:image/png;base64,@@@', 'invalid_image_url'],
    ['that is an SVG', `data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`, 'invalid_image_url'],
    ['that is text', `data:image/png;base64,${Buffer.from('hello').toString('base64')}`, 'invalid_image_url'],
    ['that is too large', `data:image/png;base64,${Buffer.alloc(2_000).toString('base64')}`, 'invalid_image_url'],
  ])('%s is refused before any upstream call', async (_what, url, code) => {
    await using stack = await withUser({ env: { ZAI_MEDIA_MAX_BYTES: '1024' } });
    const response = await ask(stack, [user(text('hi')), user(text('What?'), image(url))]);
    expect(await errorOf(response)).toEqual({ status: 400, code, param: 'messages[1].content[1]' });
    expect([...requestsTo(stack, filesPath), ...requestsTo(stack, '/api/v1/chats/new')]).toEqual([]);
  });

  it('is refused for a model that cannot see', async () => {
    await using stack = await withUser();
    const response = await ask(stack, [user(text('What?'), image(pngUrl))], { model: 'glm-4.7' });
    const expected = { status: 400, code: 'image_input_not_supported', param: 'messages[0].content[1]' };
    expect(await errorOf(response)).toEqual(expected);
    expect([...requestsTo(stack, filesPath), ...requestsTo(stack, '/api/v1/chats/new')]).toEqual([]);
  });

  it('is refused for guests, once and without ending any of them', async () => {
    await using stack = await startStack({ env: { ZAI_ANON_POOL_SIZE: '3' } });
    const response = await ask(stack, [user(text('What?'), image(pngUrl))]);
    const expected = { status: 403, code: 'image_input_needs_user_token', param: 'messages[0].content[1]' };
    expect(await errorOf(response)).toEqual(expected);
    expect(requestsTo(stack, filesPath)).toHaveLength(1);
    expect(requestsTo(stack, completionPath)).toHaveLength(0);
    expect((await ask(stack, [user(text('hi'))])).status).toBe(200);
  });

  it('goes to the user when there are guests too', async () => {
    await using stack = await withUser({ env: { ZAI_ANON_TOKEN_ENABLED: 'true', ZAI_ANON_POOL_SIZE: '2' } });
    expect((await ask(stack, [user(image(pngUrl))])).status).toBe(200);
    expect(requestsTo(stack, filesPath).map(({ tokenUserId }) => tokenUserId)).toEqual([
      stack.upstream.issuedTokens().find(({ role }) => role === 'user')?.userId,
    ]);
  });

  it('is uploaded anew for another identity', async () => {
    await using stack = await withUser({
      env: (upstream) => ({
        ZAI_UPSTREAM_TOKEN: [1, 2].map((n) => upstream.addUserToken({ email: `${n}@example.org` }).token).join(','),
      }),
      upstream: { completionFault: 'error-concurrency', failTimes: 1 },
    });
    expect((await ask(stack, [user(text('Again?'), image(pngUrl))])).status).toBe(200);
    expect(new Set(stack.upstream.files().map(({ userId }) => userId)).size).toBe(2);
    expect(requestsTo(stack, completionPath).map(({ faults }) => faults)).toEqual([[], []]);
  });

  it.each([
    ['500', 502],
    ['waf', 502],
    ['empty-object', 502],
  ] as const)('that the upstream answers with %s is an error', async (filesFault, status) => {
    await using stack = await withUser({ upstream: { filesFault } });
    const response = await ask(stack, [user(image(pngUrl))]);
    expect(response.status).toBe(status);
    expect(requestsTo(stack, completionPath)).toEqual([]);
  });

  it('stops going up when its client leaves', async () => {
    await using stack = await withUser({ upstream: { filesFault: 'hang' } });
    const leaving = new AbortController();
    const response = postChat(stack.url, '', {
      body: { model: visionModel, messages: [user(image(pngUrl))] },
      signal: leaving.signal,
    });
    const isUpload = ({ path }: ReceivedRequest): boolean => path === filesPath;
    await stack.upstream.waitForRequest(isUpload, 2_000);
    leaving.abort();
    await expect(response).rejects.toThrow();
    await stack.upstream.waitForAbort(isUpload, 2_000);
  });

  it('has the time for pictures before its first word', async () => {
    await using stack = await withUser({
      env: { ZAI_NON_STREAM_TIMEOUT: '0.1', ZAI_STREAM_TIMEOUT: '0.1', ZAI_MULTIMODAL_TIMEOUT: '5' },
      upstream: { delayMs: 400 },
    });
    expect((await ask(stack, [user(image(pngUrl))])).status).toBe(200);
    expect((await ask(stack, [user(text('hi'))])).status).toBe(504);
  });
});

describe('a document', () => {
  it('is uploaded for any model and stands in the files alone', async () => {
    await using stack = await withUser();
    const data = `data:application/pdf;base64,${Buffer.from('%PDF-1.7\n').toString('base64')}`;
    const part = { type: 'file', file: { filename: 'report.pdf', file_data: data } };
    const response = await ask(stack, [user(text('Sum up.'), part)], { model: 'glm-4.7-nothinking' });
    expect(response.status).toBe(200);
    expect(stack.upstream.files()).toMatchObject([{ filename: 'report.pdf', contentType: 'application/pdf' }]);
    expect(completionBody(stack)).toMatchObject({
      messages: [{ content: 'Sum up.' }],
      files: [{ type: 'file', name: 'report.pdf' }],
    });
  });
});

describe('C16: an image by its address', () => {
  let host: Server;
  let port: number;
  const asked: string[] = [];
  beforeAll(async () => {
    host = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/hop') response.writeHead(302, { location: '/cat.png?signature=s3cret' }).end();
      else if (request.url === '/inside') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
      else if (request.url?.startsWith('/cat.png')) response.setHeader('content-type', 'text/plain').end(png);
      else if (request.url === '/huge') response.end(Buffer.alloc(5_000));
      else if (request.url === '/page') response.setHeader('content-type', 'image/png').end('<!doctype html>');
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    ({ port } = host.address() as AddressInfo);
  });
  afterAll(() => new Promise((resolve) => host.close(resolve)));

  /** The host of the test is called files.example; everything else is as in production, but for plain http. */
  const withHost = (): Promise<Stack> =>
    withUser({
      env: { ZAI_MEDIA_ALLOW_HTTP: 'true', ZAI_MEDIA_MAX_BYTES: '4000', ZAI_MEDIA_TIMEOUT: '2' },
      mediaGuard: {
        permittedNetworks: ['127.0.0.1/32'],
        permittedPorts: [port],
        resolve: async (name) => (name === 'files.example' ? ['127.0.0.1'] : []),
      },
    });

  it.each(['cat.png', 'hop'])('is fetched and uploaded: %s', async (path) => {
    await using stack = await withHost();
    const response = await ask(stack, [user(text('What?'), image(`http://files.example:${port}/${path}`))]);
    expect(response.status).toBe(200);
    expect(stack.upstream.files()).toMatchObject([{ contentType: 'image/png', size: png.length }]);
    expect(stack.logText()).not.toMatch(/s3cret|files\.example/);
  });

  it('that cannot be used is refused in the same words, whatever it was', async () => {
    await using stack = await withHost();
    const messages = new Set<string>();
    for (const path of ['/gone', '/inside']) {
      const response = await ask(stack, [user(image(`http://files.example:${port}${path}`))]);
      expect(response.status).toBe(400);
      messages.add(await response.text());
    }
    for (const url of ['http://10.0.0.1/', 'http://unknown.example/', `http://files.example:${port + 1}/`]) {
      messages.add(await (await ask(stack, [user(image(url))])).text());
    }
    expect(messages.size).toBe(1);
    expect(JSON.parse([...messages][0]!)).toMatchObject({
      error: { type: 'invalid_request_error', code: 'invalid_image_url', param: 'messages[0].content[0]' },
    });
    expect([...requestsTo(stack, filesPath), ...requestsTo(stack, '/api/v1/chats/new')]).toEqual([]);
  });

  it.each(['huge', 'page'])('is judged by its content: %s', async (path) => {
    await using stack = await withHost();
    const response = await ask(stack, [user(image(`http://files.example:${port}/${path}`))]);
    expect(await errorOf(response)).toMatchObject({ status: 400, code: 'invalid_image_url' });
  });

  it.each([
    'http://127.0.0.1:PORT/cat.png',
    'http://localhost:PORT/cat.png',
    'http://2130706433:PORT/cat.png',
    'http://[::ffff:127.0.0.1]:PORT/cat.png',
    'http://169.254.169.254/latest/meta-data/',
    'https://user:secret@files.example/cat.png',
  ])('is not asked for as things are in production: %s', async (address) => {
    await using stack = await withUser({ env: { ZAI_MEDIA_ALLOW_HTTP: 'true' } });
    asked.length = 0;
    const response = await ask(stack, [user(image(address.replace('PORT', String(port))))]);
    expect(await errorOf(response)).toEqual({
      status: 400,
      code: 'invalid_image_url',
      param: 'messages[0].content[0]',
    });
    expect(asked).toEqual([]);
  });
});
