import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { askWhole, postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, hasContent, joinChunks, openStream } from '../support/event-stream.ts';
import { startProcess, urlOf, type ServiceName, type ServiceProcess } from '../support/start-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** Starting processes from sources takes a second or two of a busy machine. */
jest.setTimeout(60_000);

const maxAbortMs = 2_000;
/** Of the 400 MB that nobody reads. */
const MAX_GROWTH_MIB = 50;
const said = 'Hello from GLM. You said: hi';
const isCompletion = ({ path }: { path: string }): boolean => path === '/api/v2/chat/completions';

let upstream: FakeUpstream;
beforeEach(async () => {
  upstream = await startFakeUpstream({ settings: { perTokenConcurrency: 9 } });
});
afterEach(() => upstream.close());

const startTranslator = (): ServiceProcess =>
  startProcess('chat-translator', {
    ZAI_API_BASE: upstream.url,
    ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
    ZAI_TRANSLATOR_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_PORT: '0',
  });
const startGateway = (translatorUrl: string, env: Record<string, string> = {}): ServiceProcess =>
  startProcess('gateway', { ZAI_PORT: '0', ZAI_TRANSLATOR_URL: translatorUrl, ...env });
const startStandalone = (env: Record<string, string> = {}): ServiceProcess =>
  startProcess('standalone', { ZAI_API_BASE: upstream.url, ZAI_PORT: '0', ...env });

describe('gateway and chat-translator as two processes', () => {
  it('answer streamed and whole, list models, and share the request id', async () => {
    await using translator = startTranslator();
    await using gateway = startGateway(urlOf(await translator.listening));
    const url = urlOf(await gateway.listening);

    const stream = await openStream(url, 'hi');
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const blocks = await stream.rest();
    expect(joinChunks(chunksOf(blocks))).toMatchObject({ text: said, finishReasons: ['stop'], errors: [] });
    expect(blocks.at(-1)).toBe('data: [DONE]');
    expect((await askWhole(url, 'hi')).choices[0]!.message.content).toBe(said);
    const models = await fetch(`${url}/v1/models`);
    expect([models.status, models.headers.get('x-model-list')]).toEqual([200, 'live']);

    const id = stream.headers.get('x-request-id');
    for (const { logLines } of [gateway, translator])
      await waitFor(() => logLines.some(({ msg, requestId }) => msg === 'request' && requestId === id), {
        withinMs: 2_000,
      });
  });

  it('give errors in the same shape as one process does', async () => {
    await using translator = startTranslator();
    await using gateway = startGateway(urlOf(await translator.listening));
    const response = await postChat(urlOf(await gateway.listening), scenario('error-model-busy'));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '10']);
    expect(((await response.json()) as ErrorBody).error).toMatchObject({
      type: 'rate_limit_error',
      code: 'model_busy',
    });
  });

  it.each([true, false])('C39: abort through both hops (stream: %s)', async (stream) => {
    await using translator = startTranslator();
    await using gateway = startGateway(urlOf(await translator.listening));
    const leaving = new AbortController();
    postChat(urlOf(await gateway.listening), scenario('stall-after-content'), {
      signal: leaving.signal,
      body: { stream },
    }).catch(() => undefined);
    await upstream.waitForRequest((request) => isCompletion(request) && request.status === 200, 5_000);
    const leftAtMs = Date.now();
    leaving.abort();
    const { abortedAtMs } = await upstream.waitForAbort(isCompletion, 5_000);
    expect(abortedAtMs! - leftAtMs).toBeLessThan(maxAbortMs);
    for (const { logLines } of [gateway, translator]) {
      await waitFor(() => logLines.some(({ msg, status }) => msg === 'request' && status === 499), { withinMs: 2_000 });
      expect(logLines.filter(({ level }) => level === 'error')).toEqual([]);
    }
  });

  it('C36: a stream whose translator is killed ends with an error event', async () => {
    await using translator = startTranslator();
    await using gateway = startGateway(urlOf(await translator.listening));
    const url = urlOf(await gateway.listening);
    const stream = await openStream(url, scenario('stall-after-content'));
    await stream.find(hasContent);
    translator.kill('SIGKILL');
    const blocks = (await stream.rest()).filter((block) => block !== '');
    expect(blocks).toHaveLength(1);
    const { errors, finishReasons } = joinChunks(chunksOf(blocks));
    expect(errors).toMatchObject([{ type: 'server_error', param: null, code: 'upstream_error' }]);
    expect(finishReasons).toEqual([]);

    const startedAtMs = performance.now();
    const next = await postChat(url, 'hi');
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect([next.status, await next.json()]).toMatchObject([502, { error: { type: 'server_error' } }]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('a whole answer whose translator is killed is an error, not half an answer', async () => {
    await using translator = startTranslator();
    await using gateway = startGateway(urlOf(await translator.listening));
    const answer = postChat(urlOf(await gateway.listening), scenario('stall-after-content'));
    await upstream.waitForRequest(isCompletion, 5_000);
    translator.kill('SIGKILL');
    const response = await answer;
    expect([response.status, await response.json()]).toMatchObject([502, { error: { param: null } }]);
  });
});

describe('H22: answers that nobody reads', () => {
  it('hold the upstream back, take up no memory in either process, and hold nobody else up', async () => {
    await using translator = startTranslator();
    await using gateway = startGateway(urlOf(await translator.listening));
    const url = urlOf(await gateway.listening);
    const memoryMib = async ({ logLines }: ServiceProcess): Promise<number> => {
      const { adminPort } = logLines.find(({ msg }) => msg === 'starting') ?? {};
      const metrics = await (await fetch(`http://127.0.0.1:${String(adminPort)}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (.+)$/m.exec(metrics)?.[1]) / 1024 / 1024;
    };
    const leaving = new AbortController();
    // Some 200 MB each, were they all taken.
    const unread = await Promise.all(
      [1, 2].map(() => openStream(url, scenario('bench tokens=2000000 size=40'), { signal: leaving.signal })),
    );
    expect(unread.map(({ status }) => status)).toEqual([200, 200]);
    // Until all that lies between them is full.
    for (let count = 0; count < 20; count += 1) await askWhole(url, 'hi');
    const before = [await memoryMib(gateway), await memoryMib(translator)] as const;
    for (let count = 0; count < 20; count += 1) await askWhole(url, 'hi');
    expect((await memoryMib(gateway)) - before[0]).toBeLessThan(MAX_GROWTH_MIB);
    expect((await memoryMib(translator)) - before[1]).toBeLessThan(MAX_GROWTH_MIB);
    expect(upstream.log.filter((request) => request.scenario === 'bench' && request.finishedAtMs)).toEqual([]);
    leaving.abort();
    await upstream.waitForAbort((request) => request.scenario === 'bench', 2_000);
  });
});

describe('H20: SIGTERM', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets a running stream end, then the process ends with 0',
    async (signal) => {
      await using standalone = startStandalone();
      const url = urlOf(await standalone.listening);
      const stream = await openStream(url, scenario('slow frames=20 delay=25'));
      await stream.find(hasContent);
      // A connection that never asked for anything holds nobody up.
      const idle = connect(Number(new URL(url).port), '127.0.0.1');
      idle.on('error', () => undefined);
      standalone.kill(signal);
      const { text, finishReasons, errors } = joinChunks(chunksOf(await stream.rest()));
      expect([text.endsWith('word20 '), finishReasons, errors]).toEqual([true, ['stop'], []]);
      const streamEndedAtMs = performance.now();
      expect(await standalone.exited).toEqual({ code: 0, stderr: '' });
      expect(performance.now() - streamEndedAtMs).toBeLessThan(2_000);
      await expect(fetch(`${url}/health`)).rejects.toThrow();
      // Also the chat of the last turn is gone.
      expect(upstream.chats()).toEqual([]);
    },
  );

  it('cuts what still runs after ZAI_SHUTDOWN_TIMEOUT', async () => {
    await using standalone = startStandalone({ ZAI_SHUTDOWN_TIMEOUT: '0.3' });
    const stream = await openStream(urlOf(await standalone.listening), scenario('stall-after-content'));
    await stream.find(hasContent);
    standalone.kill('SIGTERM');
    expect((await standalone.exited).code).toBe(0);
    await upstream.waitForAbort(isCompletion, 1_000);
  });

  it('of the gateway and of the translator lets the stream end through both', async () => {
    await using translator = startTranslator();
    await using gateway = startGateway(urlOf(await translator.listening));
    const stream = await openStream(urlOf(await gateway.listening), scenario('slow frames=20 delay=25'));
    await stream.find(hasContent);
    translator.kill('SIGTERM');
    gateway.kill('SIGTERM');
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({ finishReasons: ['stop'], errors: [] });
    expect((await Promise.all([gateway.exited, translator.exited])).map(({ code }) => code)).toEqual([0, 0]);
  });
});

describe('a busy life', () => {
  it('leaves no warning, no unhandled failure, and nothing that runs', async () => {
    await using standalone = startStandalone({
      ZAI_ANON_TOKEN_CONCURRENCY: '9',
      ZAI_STREAM_TIMEOUT: '0.5',
      ZAI_NON_STREAM_TIMEOUT: '0.5',
    });
    const url = urlOf(await standalone.listening);
    const names = ['plain', 'thinking-then-edit', 'connection-reset', 'error-internal', 'stall-after-content', 'crlf'];
    const turns = Array.from({ length: 120 }, async (_, index) => {
      const leaving = new AbortController();
      const stream = index % 2 === 0;
      const prompt = scenario(names[index % names.length]!);
      const answer = postChat(url, prompt, { signal: leaving.signal, body: { stream } });
      // Every third client leaves: some while they wait, some with the headers, some in the middle.
      if (index % 9 === 0) leaving.abort();
      const response = await answer;
      if (index % 9 === 3) leaving.abort();
      const reader = response.body!.getReader();
      await reader.read();
      if (index % 9 === 6) leaving.abort();
      while (!(await reader.read()).done);
    });
    const results = await Promise.allSettled(turns);
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(60);
    await waitFor(() => upstream.runningStreams() === 0, { withinMs: 2_000 });
    await waitFor(() => upstream.chats().length === 0, { withinMs: 2_000 });
    standalone.kill('SIGTERM');
    expect(await standalone.exited).toEqual({ code: 0, stderr: '' });
    const ours = standalone.logLines.filter(
      ({ level, err }) => level === 'fatal' || (err as { code?: string } | undefined)?.code === 'internal',
    );
    expect(ours).toEqual([]);
  });
});

describe('a start that cannot work', () => {
  const wrong: readonly [string, ServiceName, Record<string, string>, readonly RegExp[]][] = [
    [
      'several bad values: all are named at once',
      'standalone',
      { ZAI_PORT: 'many', ZAI_STREAM_TIMEOUT: 'soon', ZAI_THINK_TAGS_MODE: 'loud', ZAI_API_BASE: 'chat.z.ai' },
      [/ZAI_PORT: /, /ZAI_STREAM_TIMEOUT: /, /ZAI_THINK_TAGS_MODE: /, /ZAI_API_BASE: /],
    ],
    ['a required key that is missing', 'gateway', { ZAI_API_KEY_ENABLED: 'true' }, [/ZAI_API_KEY_ENABLED: /]],
    ['a public address without a key', 'standalone', { ZAI_HOST: '0.0.0.0' }, [/ZAI_HOST: .*ZAI_API_KEY/]],
    ['a refresher without a shared store', 'token-refresher', {}, [/token-refresher: .*standalone/]],
    ['a translator without a token', 'chat-translator', {}, [/ZAI_UPSTREAM_TOKEN: /]],
    [
      'a secret that is none, without telling it',
      'standalone',
      { ZAI_UPSTREAM_TOKEN: 'my sécret token', ZAI_PORT: '0' },
      [/ZAI_UPSTREAM_TOKEN: (?!.*sécret)/],
    ],
  ];
  it.each(wrong)('%s (%s)', async (_what, service, env, faults) => {
    await using process = startProcess(service, env);
    const { code, stderr } = await process.exited;
    expect(code).toBe(78);
    for (const fault of faults) expect(stderr).toMatch(fault);
    expect(stderr).not.toMatch(/\bat .*\.ts:\d+/);
  });

  it('a port that is taken is a fault of the configuration, and named', async () => {
    const { port } = new URL(upstream.url);
    await using standalone = startStandalone({ ZAI_PORT: port });
    const { code, stderr } = await standalone.exited;
    expect([code, stderr]).toEqual([78, expect.stringContaining(`:${port}: cannot be listened on (EADDRINUSE)`)]);
  });
});
