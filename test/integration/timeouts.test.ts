import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import { askText, postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const said = 'Hello from GLM. You said: hi';

const env = (limits: Readonly<Record<string, string>>): { env: Record<string, string> } => ({
  env: { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.2', ...limits },
});
const completions = ({ upstream }: Stack): number =>
  upstream.log.filter(({ path }) => path === '/api/v2/chat/completions').length;

/** 504 in our words, which name the phase and its variable; the upstream is let go and asked no second time. */
async function expectTimeout(stack: Stack, prompt: string, stream: boolean, words: string): Promise<void> {
  const response = await postChat(stack.url, prompt, { body: { stream } });
  expect(response.status).toBe(504);
  const { error } = (await response.json()) as ErrorBody;
  expect(error).toMatchObject({ type: 'server_error', code: 'upstream_timeout', param: null });
  expect(error.message).toContain(words);
  expect(completions(stack)).toBe(1);
  await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 1_000, what: 'the upstream to be let go' });
}

/** The same behind the first content: one error event at the end of the stream. */
async function expectTimeoutEvent(stack: Stack, prompt: string, words: string): Promise<void> {
  const stream = await openStream(stack.url, prompt);
  expect(stream.status).toBe(200);
  const { text, errors, finishReasons } = joinChunks(chunksOf(await stream.rest()));
  expect(text).not.toBe('');
  expect([errors.length, finishReasons]).toEqual([1, []]);
  expect(errors[0]).toMatchObject({ code: 'upstream_timeout' });
  expect(errors[0]!.message).toContain(words);
  await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 1_000, what: 'the upstream to be let go' });
}

describe('silence', () => {
  it.each([
    [true, 'ZAI_STREAM_TIMEOUT'],
    [false, 'ZAI_NON_STREAM_TIMEOUT'],
  ])('before the first content is 504 (stream: %s, %s)', async (stream, variable) => {
    await using stack = await startStack(env({ [variable]: '0.2' }));
    const words = `silent for 0.2 seconds (idle timeout, ${variable})`;
    await expectTimeout(stack, scenario('stall-before-content'), stream, words);
  });

  it('before the headers is 504', async () => {
    await using stack = await startStack({
      ...env({ ZAI_STREAM_TIMEOUT: '0.2' }),
      upstream: { completionFault: 'hang' },
    });
    await expectTimeout(stack, 'hi', true, '(idle timeout, ZAI_STREAM_TIMEOUT)');
  });

  it('of the chat’s creation is waited for no longer, and the turn goes on without a chat', async () => {
    await using stack = await startStack({
      ...env({ ZAI_NON_STREAM_TIMEOUT: '1' }),
      upstream: { chatsFault: 'hang' },
    });
    const startedAtMs = performance.now();
    expect(await askText(stack.url, 'hi')).toBe(said);
    // The creation has ten seconds where silence may last longer.
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  it('behind the first content ends the stream with an error event', async () => {
    await using stack = await startStack(env({ ZAI_STREAM_TIMEOUT: '0.2' }));
    await expectTimeoutEvent(stack, scenario('stall-after-content'), '(idle timeout, ZAI_STREAM_TIMEOUT)');
  });

  it('is no silence while anything comes, however long the whole takes', async () => {
    await using stack = await startStack(env({ ZAI_STREAM_TIMEOUT: '1' }));
    const stream = await openStream(stack.url, scenario('slow frames=12 delay=120'));
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({ errors: [], finishReasons: ['stop'] });
  });

  it('may last longer for a model with a floor, and not for others', async () => {
    await using stack = await startStack(
      env({ ZAI_NON_STREAM_TIMEOUT: '0.1', ZAI_IDLE_FLOORS: 'glm-4.7*=5,glm-5*=9' }),
    );
    const prompt = scenario('stall-after-content for=300');
    expect(await askText(stack.url, prompt)).toBe(said);
    const response = await postChat(stack.url, prompt, { body: { model: 'glm-4.6-nothinking' } });
    expect(response.status).toBe(504);
  });

  it('of a model with a floor says so', async () => {
    await using stack = await startStack(env({ ZAI_STREAM_TIMEOUT: '0.1', ZAI_IDLE_FLOORS: '*4.7=0.3' }));
    await expectTimeout(stack, scenario('stall-before-content'), true, '0.3 seconds (idle timeout, ZAI_IDLE_FLOORS)');
  });
});

describe('the first token', () => {
  // Its first frame repeats the input: something is heard, but no content comes.
  const heardButEmpty = { upstream: { frameDelayMs: 400 } };
  const prompt = scenario('user-echo');

  it.each([true, false])('that does not come in time is 504, whatever else comes (stream: %s)', async (stream) => {
    await using stack = await startStack({ ...env({ ZAI_FIRST_TOKEN_TIMEOUT: '0.2' }), ...heardButEmpty });
    await expectTimeout(
      stack,
      prompt,
      stream,
      'no content within 0.2 seconds (first token timeout, ZAI_FIRST_TOKEN_TIMEOUT)',
    );
  });

  it('has all the time that silence has, by default', async () => {
    await using stack = await startStack({ ...env({ ZAI_NON_STREAM_TIMEOUT: '2' }), upstream: { delayMs: 500 } });
    expect(await askText(stack.url, 'hi')).toBe(said);
  });

  it('that came ends its limit', async () => {
    await using stack = await startStack(env({ ZAI_FIRST_TOKEN_TIMEOUT: '0.3' }));
    const stream = await openStream(stack.url, scenario('slow frames=10 delay=60'));
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({ errors: [], finishReasons: ['stop'] });
  });
});

describe('the whole answer', () => {
  const words = 'longer than 0.3 seconds (total timeout, ZAI_TOTAL_TIMEOUT)';
  const limits = { ZAI_TOTAL_TIMEOUT: '0.3' };

  it.each([true, false])('that has not begun in time is 504 (stream: %s)', async (stream) => {
    await using stack = await startStack(env(limits));
    await expectTimeout(stack, scenario('stall-before-content'), stream, words);
  });

  it('that has begun ends with an error event, and with 504 for who wants it whole', async () => {
    await using stack = await startStack(env(limits));
    await expectTimeoutEvent(stack, scenario('slow frames=100 delay=20'), words);
    const response = await postChat(stack.url, scenario('slow frames=100 delay=20'));
    expect(response.status).toBe(504);
  });

  it('has all its tries within it', async () => {
    await using stack = await startStack({
      ...env(limits),
      upstream: { delayMs: 200, completionFault: 'error-internal' },
    });
    const response = await postChat(stack.url, 'hi');
    expect([response.status, await response.json()]).toMatchObject([504, { error: { code: 'upstream_timeout' } }]);
  });
});

describe('the time for further tries', () => {
  it('over, no new try begins', async () => {
    await using stack = await startStack({
      ...env({ ZAI_RETRY_BUDGET: '0.3' }),
      upstream: { delayMs: 200, completionFault: 'error-internal' },
    });
    const response = await postChat(stack.url, 'hi');
    expect([response.status, completions(stack)]).toEqual([502, 1]);
  });

  it('0, nothing is tried again', async () => {
    await using stack = await startStack({ ...env({ ZAI_RETRY_BUDGET: '0' }), upstream: { completionFault: '500' } });
    expect((await postChat(stack.url, 'hi')).status).toBe(502);
    expect(completions(stack)).toBe(1);
  });
});

/** A port that nobody takes connections from: its thread sleeps, and its queue is full. */
async function startDeafServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const code = `
    const { createServer } = require('node:net');
    const { parentPort } = require('node:worker_threads');
    const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      // The message leaves by another thread; this one hears nothing any more.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const sockets: Socket[] = [];
  // Filled when a connection no longer comes about.
  for (let isFull = false; !isFull;) {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    socket.on('error', () => undefined);
    isFull = await once(socket, 'connect', { signal: AbortSignal.timeout(300) }).then(
      () => false,
      () => true,
    );
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    },
  };
}

describe('a connection', () => {
  it.each([true, false])(
    'that does not come about in time is 504 (stream: %s)',
    async (stream) => {
      await using deaf = await startDeafServer();
      await using stack = await startStack(
        env({
          ZAI_API_BASE: deaf.url,
          ZAI_CONNECT_TIMEOUT: '1',
          ZAI_UPSTREAM_TOKEN: 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6InUtMSIsImVtYWlsIjoiYUBiLmMifQ.c2ln',
          ZAI_ANON_TOKEN_ENABLED: 'false',
          ZAI_REQUEST_TIMEOUT: '1',
        }),
      );
      const response = await postChat(stack.url, 'hi', { body: { stream } });
      expect(response.status).toBe(504);
      const { error } = (await response.json()) as ErrorBody;
      expect(error.code).toBe('upstream_timeout');
      expect(error.message).toContain('(connect timeout, ZAI_CONNECT_TIMEOUT)');
    },
    20_000,
  );
});
