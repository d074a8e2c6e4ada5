import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeIdentity } from '@zai2api/dialects';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { scenario } from '../support/chat-client.ts';
import { readEventStream, type EventStream } from '../support/event-stream.ts';
import { openRedisStore } from '../support/open-redis-store.ts';
import { lastResponse, readResponseEvents } from '../support/response-events.ts';
import { eventSchema, responseSchema, type WireResponseObject } from '../support/response-schemas.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { startRedis, type RedisServer } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';

/** Starting processes takes seconds of a busy machine, and a dead one is waited for. */
jest.setTimeout(90_000);

const model = 'glm-4.7-nothinking';
const WITHIN_MS = 20_000;
const slow = scenario('slow frames=60 delay=50');
const stalled = scenario('stall-after-content for=600000');

let upstream: FakeUpstream;
let redis: RedisServer;
beforeAll(async () => {
  upstream = await startFakeUpstream({ settings: { perTokenConcurrency: 9 } });
  redis = await startRedis({ isOwn: true, env: { REDIS_COMMAND_TIMEOUT: '0.5' } });
});
// One of the tests may have emptied it.
beforeEach(() => fillPool());
afterAll(async () => {
  await upstream.close();
  await redis.close();
});

/** What a refresher does, once. */
async function fillPool(): Promise<void> {
  await using opened = await openRedisStore(redis.settings);
  const { token } = upstream.addUserToken();
  const { userId, name } = decodeIdentity({ token });
  const times = { createdAtMs: Date.now(), expiresAtMs: Infinity };
  await opened.store.put({ id: 'user-1', kind: 'user', token, userId, userName: name, concurrency: 9, ...times });
}

const startTranslator = (env: Record<string, string> = {}): ServiceProcess =>
  startProcess('chat-translator', {
    ZAI_API_BASE: upstream.url,
    ZAI_TRANSLATOR_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_PORT: '0',
    ZAI_SSE_HEARTBEAT_SECONDS: '0.2',
    ...redis.env,
    ...env,
  });
const startGateway = (translatorUrl: string, env: Record<string, string> = {}): ServiceProcess =>
  startProcess('gateway', { ZAI_PORT: '0', ZAI_TRANSLATOR_URL: translatorUrl, ...env });

const post = (url: string, body: object, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ model, input: 'hi', ...body }),
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string> | undefined) },
  });
async function whole(url: string, body: object = {}): Promise<WireResponseObject> {
  const response = await post(url, body);
  expect(response.status).toBe(200);
  return responseSchema.parse(await response.json());
}
async function show(url: string, id: string): Promise<WireResponseObject | undefined> {
  const response = await fetch(`${url}/v1/responses/${id}`);
  return response.status === 200 ? responseSchema.parse(await response.json()) : undefined;
}
const follow = (url: string, id: string, after?: number): Promise<Response> =>
  fetch(`${url}/v1/responses/${id}?stream=true${after === undefined ? '' : `&starting_after=${after}`}`);
const numberOf = (block: string): number => Number(/"sequence_number":(\d+)/.exec(block)?.[1] ?? -1);

/** Reads a stream up to its n-th piece of text; says whose it is and how far it got. */
async function readSome(stream: EventStream, pieces = 3): Promise<{ id: string; seen: number }> {
  const first = await stream.find((block) => block.includes('event: response.created'));
  let seen = numberOf(first);
  for (let count = 0; count < pieces; count += 1) {
    seen = numberOf(await stream.find((block) => block.includes('event: response.output_text.delta')));
  }
  const [id = ''] = /resp_[a-z0-9]+/.exec(first) ?? [];
  return { id, seen };
}

type Pair = AsyncDisposable & { readonly processes: ServiceProcess[]; readonly urls: readonly [string, string] };

async function startPair(): Promise<Pair> {
  const processes = [startTranslator(), startTranslator()];
  const [one = {}, other = {}] = await Promise.all(processes.map(({ listening }) => listening));
  return {
    processes,
    urls: [urlOf(one), urlOf(other)],
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map((each) => each.close()));
    },
  };
}

describe('responses on two replicas', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
  });

  it('R09, R11, R12, R24: are shown, gone on from, referred to and deleted on the other one', async () => {
    const [one, other] = pair.urls;
    const first = await whole(one, { input: 'My name is Ann. hi' });
    expect(await show(other, first.id)).toEqual(first);
    const second = await whole(other, { previous_response_id: first.id });
    const items = (await (await fetch(`${one}/v1/responses/${second.id}/input_items?order=asc`)).json()) as {
      data: { content: { text: string }[] }[];
    };
    expect(items.data[0]?.content[0]?.text).toBe('My name is Ann. hi');
    await whole(other, {
      input: [
        { type: 'item_reference', id: first.output[0]!.id },
        { role: 'user', content: 'hi' },
      ],
    });
    expect((await fetch(`${other}/v1/responses/${first.id}`, { method: 'DELETE' })).status).toBe(200);
    expect(await show(one, first.id)).toBeUndefined();
    // What went on from it has all that it needs.
    expect((await whole(one, { previous_response_id: second.id })).status).toBe('completed');
  });

  it('R13: go on on the other one when the client dies, with the same numbers, and live', async () => {
    const [one, other] = pair.urls;
    const leaving = new AbortController();
    const stream = readEventStream(await post(one, { stream: true, input: slow }, { signal: leaving.signal }));
    const { id, seen } = await readSome(stream);
    leaving.abort();
    const followed = readEventStream(await follow(other, id, seen));
    expect(numberOf(await followed.find((block) => block.startsWith('event: ')))).toBe(seen + 1);
    // Not over yet: what comes now is live.
    expect(await show(other, id)).toMatchObject({ status: 'in_progress' });
    const rest = await followed.rest();
    const all = readResponseEvents(await (await follow(one, id)).text());
    expect(lastResponse(all)).toMatchObject({ id, status: 'completed' });
    expect(rest.filter((block) => block.startsWith('event: ')).map(numberOf)).toEqual(
      all.slice(seen + 2).map((event) => event.sequence_number),
    );
    expect(rest.at(-1)).toBe('data: [DONE]');
  });

  it('R13: go on when the gateway is killed', async () => {
    const [one, other] = pair.urls;
    const gateway = startGateway(one);
    await using second = startGateway(other);
    const stream = readEventStream(await post(urlOf(await gateway.listening), { stream: true, input: slow }));
    const { id, seen } = await readSome(stream);
    await gateway.close();
    const rest = await (await follow(urlOf(await second.listening), id, seen)).text();
    expect(lastResponse(readResponseEvents(withoutComments(rest), seen + 1))).toMatchObject({
      id,
      status: 'completed',
    });
  });

  it('are called off from the other one, and the upstream hears of it', async () => {
    const [one, other] = pair.urls;
    await waitFor(() => upstream.runningStreams() === 0, { withinMs: WITHIN_MS });
    const { id } = await whole(one, { background: true, input: stalled });
    await waitFor(async () => (await show(one, id))?.status === 'in_progress', { withinMs: WITHIN_MS });
    const cancel = async (url: string): Promise<unknown> =>
      (await fetch(`${url}/v1/responses/${id}/cancel`, { method: 'POST' })).json();
    const startedAtMs = performance.now();
    expect(await cancel(other)).toMatchObject({ id, status: 'cancelled' });
    await waitFor(() => upstream.runningStreams() === 0, { withinMs: WITHIN_MS });
    // By a message, not by the next sign of life.
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    expect(await cancel(one)).toMatchObject({ id, status: 'cancelled' });
    expect(await show(one, id)).toMatchObject({ status: 'cancelled' });
  });

  it('belong to a key, by whichever gateway it comes', async () => {
    const env = { ZAI_API_KEY: 'sk-one,sk-two' };
    await using gateway = startGateway(pair.urls[0], env);
    await using second = startGateway(pair.urls[1], env);
    const urls = [urlOf(await gateway.listening), urlOf(await second.listening)] as const;
    const as = (key: string, more = {}) => ({ headers: { authorization: `Bearer ${key}`, ...more } });
    const { id } = (await (await post(urls[0], {}, as('sk-one'))).json()) as { id: string };
    const statusFor = async (init: RequestInit): Promise<number> =>
      (await fetch(`${urls[1]}/v1/responses/${id}`, init)).status;
    expect(await statusFor(as('sk-one'))).toBe(200);
    expect(await statusFor(as('sk-two'))).toBe(404);
    // What only a gateway may say cannot be said by a client.
    const principal = '0123456789abcdef0123456789abcdef';
    expect(await statusFor(as('sk-one', { 'x-zai-principal': principal }))).toBe(200);
    const direct = await fetch(`${pair.urls[1]}/v1/responses/${id}`, { headers: { 'x-zai-principal': principal } });
    expect(direct.status).toBe(404);
  });

  it('fail for everybody when the translator is killed that ran them', async () => {
    const [one, other] = pair.urls;
    const reader = readEventStream(await post(one, { stream: true, input: stalled }));
    const { id, seen } = await readSome(reader, 1);
    const queued = await whole(one, { background: true, input: stalled });
    await waitFor(async () => (await show(other, queued.id))?.status === 'in_progress', { withinMs: WITHIN_MS });
    const follower = follow(other, id, seen);
    const early = readEventStream(await follow(other, id));
    await early.find((block) => numberOf(block) === seen);
    pair.processes[0]!.kill('SIGKILL');
    const killedAtMs = performance.now();
    const last = await early.find((block) => block.includes('response.failed'));
    expect(performance.now() - killedAtMs).toBeLessThan(WITHIN_MS);
    const failed = eventSchema.parse(JSON.parse(last.slice(last.indexOf('{'))));
    expect(failed).toMatchObject({ response: { id, status: 'failed', error: { code: 'server_error' } } });
    // Whoever had more than the store is told, too, with the number that comes next.
    const [event] = readResponseEvents(withoutComments(await (await follower).text()), seen + 1).slice(-1);
    expect(event).toMatchObject({ type: 'response.failed' });
    const ahead = readResponseEvents(await (await follow(other, id, seen + 50)).text(), seen + 51);
    expect(ahead).toMatchObject([{ type: 'response.failed', sequence_number: seen + 51 }]);
    expect(await show(other, id)).toMatchObject({ status: 'failed' });
    await waitFor(async () => (await show(other, queued.id))?.status === 'failed', { withinMs: WITHIN_MS });
  });
});

describe('a translator that is asked to stop', () => {
  it('finishes what runs in the background', async () => {
    await using pair = await startPair();
    const [one, other] = pair.urls;
    const { id } = await whole(one, { background: true, input: scenario('slow frames=20 delay=50') });
    pair.processes[0]!.kill('SIGTERM');
    expect((await pair.processes[0]!.exited).code).toBe(0);
    expect(await show(other, id)).toMatchObject({ status: 'completed' });
  });

  it('says at its deadline that the rest has failed', async () => {
    await using translator = startTranslator({ ZAI_SHUTDOWN_TIMEOUT: '1', ZAI_SHUTDOWN_DRAIN_DELAY: '0' });
    await using other = startTranslator();
    const url = urlOf(await translator.listening);
    const { id } = await whole(url, { background: true, input: stalled });
    await waitFor(async () => (await show(url, id))?.status === 'in_progress', { withinMs: WITHIN_MS });
    translator.kill('SIGTERM');
    await translator.exited;
    const startedAtMs = performance.now();
    const otherUrl = urlOf(await other.listening);
    await waitFor(async () => (await show(otherUrl, id))?.status === 'failed', { withinMs: WITHIN_MS });
    // Said by itself: nobody had to find out.
    expect(performance.now() - startedAtMs).toBeLessThan(6_000);
    expect((await show(otherUrl, id))?.error?.message).toMatch(/stopped/);
  });
});

describe('while Redis is away', () => {
  it.each(['freezes', 'is killed'] as const)(
    '(it %s) answers come all the same, and say that they are not kept',
    async (how) => {
      // A token of its own, for the pool is away, too.
      await using translator = startTranslator({ ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token });
      const url = urlOf(await translator.listening);
      const kept = await whole(url);
      if (how === 'freezes') await redis.freeze();
      else await redis.kill();

      const response = await post(url, {});
      expect([response.status, response.headers.get('x-gateway-response-not-stored')]).toEqual([200, 'unavailable']);
      expect(responseSchema.parse(await response.json())).toMatchObject({ status: 'completed', store: false });
      const stream = await post(url, { stream: true });
      expect(stream.headers.get('x-gateway-response-not-stored')).toBe('unavailable');
      const streamed = readResponseEvents(withoutComments(await stream.text()));
      expect(lastResponse(streamed)).toMatchObject({ status: 'completed', store: false });
      expect(await whole(url, { store: false })).toMatchObject({ status: 'completed' });
      for (const refused of [
        await post(url, { background: true }),
        await post(url, { previous_response_id: kept.id }),
        await fetch(`${url}/v1/responses/${kept.id}`),
      ]) {
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
        expect(await refused.json()).toMatchObject({ error: { code: 'response_store_unavailable' } });
      }

      if (how === 'freezes') await redis.resume();
      else await redis.restart();
      await fillPool();
      await waitFor(async () => (await post(url, {})).headers.get('x-gateway-response-not-stored') === null, {
        withinMs: WITHIN_MS,
      });
    },
  );

  it('a stream that is kept goes on, and is whole when Redis is back', async () => {
    await using translator = startTranslator();
    const url = urlOf(await translator.listening);
    const stream = readEventStream(await post(url, { stream: true, input: slow }));
    const { id, seen } = await readSome(stream, 5);
    const follower = await follow(url, id, seen);
    await redis.freeze();
    await stream.find((block) => numberOf(block) > seen + 10);
    await redis.resume();
    const blocks = await stream.rest();
    expect(blocks.at(-1)).toBe('data: [DONE]');
    expect(blocks.some((block) => block.includes('event: response.completed'))).toBe(true);
    const kept = await waitFor(
      async () => {
        const shown = await show(url, id);
        return shown?.status === 'completed' && shown;
      },
      { withinMs: WITHIN_MS },
    );
    const rest = readResponseEvents(withoutComments(await follower.text()), seen + 1);
    expect(lastResponse(rest)).toEqual(kept);
  });
});

/** Heartbeats come between events wherever it is quiet. */
function withoutComments(sse: string): string {
  return sse
    .split('\n\n')
    .filter((block) => !block.startsWith(':'))
    .join('\n\n');
}
