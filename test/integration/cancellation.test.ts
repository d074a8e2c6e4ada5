import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { askWhole, postChat, scenario } from '../support/chat-client.ts';
import { hasContent, openStream } from '../support/event-stream.ts';
import { startStack, type Stack, type StackOptions } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

/** At once, and not by a timer: the shortest is ten seconds. (contract 8.1, C39) asks for 250 ms on a machine that has nothing else to do. */
const MAX_ABORT_MS = 2_000;
const patience = { withinMs: 5_000 };

const isCompletion = ({ path }: ReceivedRequest): boolean => path === '/api/v2/chat/completions';
const isChatCreation = ({ path }: ReceivedRequest): boolean => path === '/api/v1/chats/new';
const completions = ({ upstream }: Stack): number => upstream.log.filter(isCompletion).length;

/** A single identity and a single slot: what is not given back is missed at once. */
const single = { ZAI_ANON_POOL_SIZE: '1', ZAI_MAX_CONCURRENT_REQUESTS: '1' };
type SingleOptions = Pick<StackOptions, 'upstream'> & { readonly env?: Readonly<Record<string, string>> };
const startSingle = ({ env, upstream = {} }: SingleOptions = {}): Promise<Stack> =>
  startStack({ upstream, env: { ...single, ...env } });

/** Leaves, and gives the milliseconds until the upstream saw it. */
async function leaveAndMeasure(
  stack: Stack,
  leaving: AbortController,
  match: (request: ReceivedRequest) => boolean,
): Promise<number> {
  const leftAtMs = Date.now();
  leaving.abort();
  const { abortedAtMs } = await stack.upstream.waitForAbort(match, patience.withinMs);
  return abortedAtMs! - leftAtMs;
}

/** Lease and slot are free, nothing runs, and nobody called it an error. */
async function expectClean(stack: Stack): Promise<void> {
  stack.upstream.configure({ delayMs: 0, chatsFault: null });
  const startedAtMs = performance.now();
  await expect(askWhole(stack.url, 'again')).resolves.toMatchObject({ object: 'chat.completion' });
  expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  expect(stack.upstream.runningStreams()).toBe(0);
  for (const { userId } of stack.upstream.issuedTokens())
    expect(stack.upstream.highestConcurrency(userId)).toBeLessThanOrEqual(1);
  expect(stack.logLines().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  const access = await waitFor(() => stack.logLines().find(({ msg }) => msg === 'request'), patience);
  expect(access['status']).toBe(499);
}

describe('C39: a client that leaves', () => {
  const early: readonly [string, boolean, SingleOptions, string][] = [
    ['before the answer has begun', true, { upstream: { delayMs: 60_000 } }, 'hi'],
    ['before the answer has begun', false, { upstream: { delayMs: 60_000 } }, 'hi'],
    ['before the first token', true, {}, scenario('stall-before-content')],
    ['before the first token', false, {}, scenario('stall-before-content')],
    ['behind the first keep-alive', true, { env: { ZAI_FIRST_BYTE_GRACE: '0.05' } }, scenario('stall-before-content')],
  ];
  it.each(early)('%s (stream: %s) aborts the upstream call', async (_when, stream, options, prompt) => {
    await using stack = await startSingle(options);
    const leaving = new AbortController();
    const request = postChat(stack.url, prompt, { signal: leaving.signal, body: { stream } });
    const isBegun = options.env === undefined ? undefined : request.then((response) => response.status);
    request.catch(() => undefined);
    await stack.upstream.waitForRequest(isCompletion, patience.withinMs);
    await isBegun;
    expect(await leaveAndMeasure(stack, leaving, isCompletion)).toBeLessThan(MAX_ABORT_MS);
    await expectClean(stack);
  });

  it('after the first token aborts the upstream call', async () => {
    await using stack = await startSingle();
    const leaving = new AbortController();
    const stream = await openStream(stack.url, scenario('stall-after-content'), { signal: leaving.signal });
    await stream.find(hasContent);
    expect(await leaveAndMeasure(stack, leaving, isCompletion)).toBeLessThan(MAX_ABORT_MS);
    await expectClean(stack);
  });

  it('in the middle of a flowing stream aborts the upstream call', async () => {
    await using stack = await startSingle();
    const leaving = new AbortController();
    const stream = await openStream(stack.url, scenario('slow frames=1000 delay=20'), { signal: leaving.signal });
    for (let count = 0; count < 3; count += 1) await stream.find(hasContent);
    expect(await leaveAndMeasure(stack, leaving, isCompletion)).toBeLessThan(MAX_ABORT_MS);
    await expectClean(stack);
  });

  it('after the first token of a whole answer aborts the upstream call', async () => {
    await using stack = await startSingle();
    const leaving = new AbortController();
    postChat(stack.url, scenario('stall-after-content'), { signal: leaving.signal }).catch(() => undefined);
    // The first token is known by its metric: to the client nothing was sent yet.
    const firstTokens = () => stack.metric('gen_ai_server_time_to_first_token_seconds_count');
    await waitFor(async () => (await firstTokens()) === 1, patience);
    expect(await leaveAndMeasure(stack, leaving, isCompletion)).toBeLessThan(MAX_ABORT_MS);
    await expectClean(stack);
  });

  it.each([true, false])('while the chat is being created (stream: %s) aborts that call', async (stream) => {
    await using stack = await startSingle({ upstream: { chatsFault: 'hang' } });
    const leaving = new AbortController();
    postChat(stack.url, 'hi', { signal: leaving.signal, body: { stream } }).catch(() => undefined);
    await stack.upstream.waitForRequest(isChatCreation, patience.withinMs);
    expect(await leaveAndMeasure(stack, leaving, isChatCreation)).toBeLessThan(MAX_ABORT_MS);
    expect(completions(stack)).toBe(0);
    await expectClean(stack);
  });

  it.each([
    ['a credential', { ZAI_MAX_CONCURRENT_REQUESTS: '9' }, 'zai_credential_waiters'],
    ['a slot of the gateway', {}, 'zai_gateway_queue_length'],
  ])('while it waits for %s leaves the line', async (_what, env, gauge) => {
    await using stack = await startSingle({ env });
    const [first, second] = [new AbortController(), new AbortController()];
    const stream = await openStream(stack.url, scenario('stall-after-content'), { signal: first.signal });
    await stream.find(hasContent);
    const waiting = postChat(stack.url, 'hi', { signal: second.signal });
    waiting.catch(() => undefined);
    await waitFor(async () => (await stack.metric(gauge)) === 1, patience);

    const leftAtMs = performance.now();
    second.abort();
    await waitFor(async () => (await stack.metric(gauge)) === 0, patience);
    expect(performance.now() - leftAtMs).toBeLessThan(MAX_ABORT_MS);

    expect(await leaveAndMeasure(stack, first, isCompletion)).toBeLessThan(MAX_ABORT_MS);
    await expectClean(stack);
    // The stream that was left and the one of the check: the one that waited never reached the upstream.
    expect(completions(stack)).toBe(2);
  });

  it('frees its place for the one who waits', async () => {
    await using stack = await startSingle();
    const leaving = new AbortController();
    const stream = await openStream(stack.url, scenario('stall-after-content'), { signal: leaving.signal });
    await stream.find(hasContent);
    const next = askWhole(stack.url, 'next');
    await waitFor(async () => (await stack.metric('zai_gateway_queue_length')) === 1, patience);
    leaving.abort();
    await expect(next).resolves.toMatchObject({ choices: [{ finish_reason: 'stop' }] });
  });

  it('leaves no chat behind', async () => {
    await using stack = await startSingle();
    const leaving = new AbortController();
    const stream = await openStream(stack.url, scenario('stall-after-content'), { signal: leaving.signal });
    await stream.find(hasContent);
    expect(stack.upstream.chats()).toHaveLength(1);
    leaving.abort();
    await waitFor(() => stack.upstream.chats().length === 0, patience);
  });

  it('only by half, ending its side after the request, still gets its answer', async () => {
    await using stack = await startSingle();
    const { port } = new URL(stack.url);
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] });
    const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    socket.end(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    let text = '';
    for await (const part of socket.setEncoding('utf8')) text += String(part);
    // Interim answers may come first: they are how a client that is gone is told from one that only has nothing more to say.
    expect(text).toMatch(/^(HTTP\/1\.1 102 Processing\r\n\r\n)*HTTP\/1\.1 200 /);
    expect(text).toContain('"finish_reason":"stop"');
  });

  it('in a crowd leaves nothing running and exceeds no limit', async () => {
    await using stack = await startStack({ env: { ZAI_ANON_POOL_SIZE: '3' } });
    const leaving = new AbortController();
    const crowd = Array.from({ length: 20 }, () =>
      postChat(stack.url, scenario('slow frames=1000 delay=10'), {
        signal: leaving.signal,
        body: { stream: true },
      }).then(
        () => undefined,
        () => undefined,
      ),
    );
    await waitFor(() => stack.upstream.runningStreams() === 3, patience);
    await waitFor(async () => (await stack.metric('zai_credential_waiters')) === 17, patience);
    const leftAtMs = performance.now();
    leaving.abort();
    await waitFor(() => stack.upstream.runningStreams() === 0, patience);
    expect(performance.now() - leftAtMs).toBeLessThan(2 * MAX_ABORT_MS);
    await Promise.all(crowd);
    await expectClean(stack);
  });
});
