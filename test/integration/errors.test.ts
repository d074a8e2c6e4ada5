import { describe, expect, it } from '@jest/globals';
import { scenarios, startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { askWhole, postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { earlyFailures } from '../support/early-failures.ts';
import { chunksOf, hasContent, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const impatient = {
  ZAI_ANON_POOL_SIZE: '1',
  ZAI_CREDENTIAL_WAIT: '0.2',
  ZAI_STREAM_TIMEOUT: '1',
  ZAI_NON_STREAM_TIMEOUT: '1',
};
/** Words of the fake upstream's own error texts and pages; none of them is for clients. */
const upstreamWords = /<|aliyun|Oops|出错|refresh the page|Captcha failed|Not authenticated|Invalid token|Unauthorized/;

const completions = ({ upstream }: Stack): number =>
  upstream.log.filter(({ path }) => path === '/api/v2/chat/completions').length;

/** The four keys, and nothing that only the upstream or we should know. */
async function readError(stack: Stack, response: Response): Promise<ErrorBody['error']> {
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
  const text = await response.text();
  expect(text).not.toMatch(upstreamWords);
  expect(text).not.toContain(new URL(stack.upstream.url).host);
  for (const { token } of stack.upstream.issuedTokens()) expect(text).not.toContain(token);
  const { error } = JSON.parse(text) as ErrorBody;
  expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
  expect(typeof error.message).toBe('string');
  return error;
}

describe.each([true, false])('C35, H21: an error before the first content (stream: %s)', (stream) => {
  it.each(earlyFailures)('$fault is $status $code', async ({ fault, ...expected }) => {
    await using stack = await startStack({ env: impatient, upstream: { completionFault: fault } });
    const response = await postChat(stack.url, 'hi', { body: { stream } });
    const { type, code } = await readError(stack, response);
    const retryAfter = response.headers.get('retry-after');
    expect({
      status: response.status,
      type,
      code,
      retryAfter: retryAfter === null ? null : Number(retryAfter),
      doNotRetry: response.headers.get('x-should-retry') === 'false',
      tries: completions(stack),
    }).toEqual(expected);
    if (retryAfter !== null) expect(response.headers.get('retry-after-ms')).toBe(String(Number(retryAfter) * 1000));
    // Whatever it was: the process lives.
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });

  it.each([
    ['the upstream says nothing at all', 'hang'],
    ['the upstream stalls behind its headers', 'stall-before-content'],
  ])('is 504 upstream_timeout when %s', async (_what, fault) => {
    await using stack = await startStack({ env: impatient, upstream: { completionFault: fault } });
    const response = await postChat(stack.url, 'hi', { body: { stream } });
    expect([response.status, await readError(stack, response)]).toMatchObject([504, { code: 'upstream_timeout' }]);
    expect(completions(stack)).toBe(1);
    await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 2_000 });
  });
});

describe('C36: an error after the first content', () => {
  // The content filter is no error but a reason to finish, once something was said (C38).
  const late = Object.keys(scenarios).filter(
    (name) => name.endsWith('-after-content') && name !== 'error-sensitive-after-content',
  );
  const broken = [...late, 'eof-mid-frame', 'connection-reset'];

  it.each(broken)('%s ends the stream with one error frame', async (name) => {
    await using stack = await startStack({ env: impatient });
    const stream = await openStream(stack.url, scenario(name));
    expect(stream.status).toBe(200);
    const blocks = await stream.rest();
    const { text, errors, finishReasons } = joinChunks(chunksOf(blocks));
    expect(text).toMatch(/^Hello/);
    expect(errors).toHaveLength(1);
    expect(Object.keys(errors[0]!)).toEqual(['message', 'type', 'param', 'code']);
    expect(JSON.stringify(errors)).not.toMatch(upstreamWords);
    expect(finishReasons).toEqual([]);
    expect(blocks.at(-1)).toMatch(/^data: \{"error":/);
    expect(completions(stack)).toBe(1);
  });

  it.each(broken)('%s is an HTTP error for who wants the answer whole', async (name) => {
    await using stack = await startStack({ env: impatient });
    const response = await postChat(stack.url, scenario(name));
    await readError(stack, response);
    expect(response.status).toBeGreaterThanOrEqual(400);
    // Nothing of it was sent yet, but after content nothing is tried again, streamed or not.
    expect(completions(stack)).toBe(1);
  });

  it('C38: refused content ends with content_filter', async () => {
    await using stack = await startStack();
    const stream = await openStream(stack.url, scenario('error-sensitive-after-content'));
    const { errors, finishReasons } = joinChunks(chunksOf(await stream.rest()));
    expect([errors, finishReasons]).toEqual([[], ['content_filter']]);
  });
});

describe('H17: the grace of the first byte', () => {
  it('is followed by a sign of life, and the error comes in the stream', async () => {
    await using stack = await startStack({
      env: { ZAI_FIRST_BYTE_GRACE: '0.05' },
      upstream: { delayMs: 150, completionFault: 'error-level' },
    });
    const stream = await openStream(stack.url, 'hi');
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const blocks = await stream.rest();
    expect(blocks).toEqual([': keep-alive', expect.stringMatching(/^data: \{"error":\{.*"code":"model_not_allowed"/)]);
  });

  it('C37: silence is filled with comments, before the first token and between tokens', async () => {
    await using stack = await startStack({
      env: { ZAI_FIRST_BYTE_GRACE: '0.05', ZAI_SSE_HEARTBEAT_SECONDS: '0.05' },
      upstream: { delayMs: 200 },
    });
    const stream = await openStream(stack.url, scenario('stall-after-content for=200'));
    const blocks = await stream.rest();
    const isComment = (block: string): boolean => block === ': keep-alive';
    const firstContent = blocks.findIndex(hasContent);
    expect(blocks.slice(0, firstContent).filter(isComment).length).toBeGreaterThanOrEqual(2);
    expect(blocks.slice(firstContent).filter(isComment).length).toBeGreaterThanOrEqual(1);
    expect(joinChunks(chunksOf(blocks))).toMatchObject({ text: 'Hello from GLM. You said: hi', errors: [] });
  });
});

describe('an upstream that cannot be reached', () => {
  const maxAnswerMs = 5_000;
  const single = { ZAI_ANON_POOL_SIZE: '1' };

  async function expectUnreachable(url: string, stream: boolean): Promise<void> {
    const startedAtMs = performance.now();
    const response = await postChat(url, 'hi', { body: { stream } });
    expect(performance.now() - startedAtMs).toBeLessThan(maxAnswerMs);
    expect(response.status).toBe(502);
    const { error } = (await response.json()) as ErrorBody;
    expect(error).toEqual({
      message: 'The upstream cannot be reached.',
      type: 'server_error',
      param: null,
      code: 'upstream_error',
    });
  }
  const comesBack = (stack: Stack): Promise<FakeUpstream> =>
    startFakeUpstream({ port: Number(new URL(stack.upstream.url).port) });
  const answers = (stack: Stack): Promise<unknown> =>
    waitFor(() => askWhole(stack.url, 'hi').catch(() => undefined), { withinMs: 10_000 });

  it('gives 502 at once, streamed and whole, and works again when it is back', async () => {
    await using stack = await startStack({ env: single });
    await stack.upstream.close();
    await expectUnreachable(stack.url, false);
    await expectUnreachable(stack.url, true);
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
    const back = await comesBack(stack);
    try {
      await answers(stack);
    } finally {
      await stack.close();
      await back.close();
    }
  });

  it('from the start on gives 502 at once, and works when it appears', async () => {
    await using nobody = await startStack({ env: single });
    await nobody.upstream.close();
    await using stack = await startStack({ env: { ...single, ZAI_API_BASE: nobody.upstream.url } });
    await expectUnreachable(stack.url, false);
    await expectUnreachable(stack.url, true);
    const back = await comesBack(nobody);
    try {
      await answers(stack);
    } finally {
      await stack.close();
      await back.close();
    }
  });

  it('because its name is unknown gives 502', async () => {
    await using stack = await startStack({ env: { ...single, ZAI_API_BASE: 'http://nowhere.invalid' } });
    await expectUnreachable(stack.url, false);
    await expectUnreachable(stack.url, true);
  });
});
