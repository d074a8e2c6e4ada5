import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeIdentity } from '@zai2api/dialects';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { askWhole, postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, hasContent, joinChunks, openStream } from '../support/event-stream.ts';
import { openRedisStore } from '../support/open-redis-store.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { startRedis, type RedisServer } from '../support/start-redis.ts';
import { startStack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

/** Starting processes from sources takes a second or two of a busy machine. */
jest.setTimeout(60_000);

const TIMEOUT_MS = 500;
const SLACK_MS = 2_000;
const WITHIN_MS = 10_000;
const said = 'Hello from GLM. You said: hi';
const isCompletion = ({ path }: { path: string }): boolean => path === '/api/v2/chat/completions';

let upstream: FakeUpstream;
let redis: RedisServer;
beforeEach(async () => {
  upstream = await startFakeUpstream({ settings: { perTokenConcurrency: 1 } });
  redis = await startRedis({ isOwn: true, env: { REDIS_COMMAND_TIMEOUT: String(TIMEOUT_MS / 1000) } });
});
afterEach(async () => {
  await upstream.close();
  await redis.close();
});

const startTranslator = (env: Record<string, string> = {}): ServiceProcess =>
  startProcess('chat-translator', {
    ZAI_API_BASE: upstream.url,
    ZAI_TRANSLATOR_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_PORT: '0',
    ...redis.env,
    ...env,
  });

/** What a refresher does, once. */
async function fillPool(count: number): Promise<void> {
  await using opened = await openRedisStore(redis.settings);
  for (let index = 1; index <= count; index++) {
    const { token } = upstream.addUserToken();
    const { userId, name } = decodeIdentity({ token });
    await opened.store.put({
      id: `user-of-test-${index}`,
      kind: 'user',
      token,
      userId,
      userName: name,
      createdAtMs: Date.now(),
      expiresAtMs: Infinity,
      concurrency: 1,
    });
  }
}

async function probe({ logLines }: ServiceProcess, path: string): Promise<{ status: number; text: string }> {
  const { adminPort } = logLines.find(({ msg }) => msg === 'starting')!;
  const response = await fetch(`http://127.0.0.1:${String(adminPort)}${path}`);
  return { status: response.status, text: await response.text() };
}

async function timeOf(run: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await run();
  return performance.now() - startedAtMs;
}

async function expectUnavailable(url: string): Promise<void> {
  const response = await postChat(url, 'hi');
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(((await response.json()) as ErrorBody).error).toMatchObject({ code: 'store_unavailable' });
}

describe('translators on one Redis', () => {
  it('need no token of their own, and keep to the limit of a token together', async () => {
    await fillPool(1);
    await using one = startTranslator();
    await using other = startTranslator();
    const urls = [urlOf(await one.listening), urlOf(await other.listening)];
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => askWhole(urls[index % 2]!, 'hi')));
    for (const answer of answers) expect(answer.choices[0]!.message.content).toBe(said);
    // The upstream refuses a second turn on a token: nobody ever tried one.
    expect(upstream.log.filter((request) => isCompletion(request) && request.status !== 200)).toEqual([]);
    expect((await probe(one, '/readyz')).text).toContain('"redis":"reachable"');
    one.kill('SIGTERM');
    expect(await one.exited).toEqual({ code: 0, stderr: '' });
  });

  it.each(['freezes', 'is killed'] as const)(
    'when it %s: streams go on, others hear it in time, probes stay good, service comes back',
    async (how) => {
      await fillPool(2);
      await using translator = startTranslator();
      const url = urlOf(await translator.listening);
      const stream = await openStream(url, scenario('slow frames=40 delay=50'));
      await stream.find(hasContent);

      if (how === 'freezes') await redis.freeze();
      else await redis.kill();
      expect(await timeOf(() => expectUnavailable(url))).toBeLessThan(TIMEOUT_MS + SLACK_MS);
      for (let request = 0; request < 5; request++) {
        expect(await timeOf(() => expectUnavailable(url))).toBeLessThan(TIMEOUT_MS);
      }
      expect((await probe(translator, '/livez')).status).toBe(200);
      await waitFor(async () => (await probe(translator, '/readyz')).text.includes('unreachable since'), {
        withinMs: WITHIN_MS,
      });
      expect((await probe(translator, '/readyz')).status).toBe(200);
      expect((await probe(translator, '/metrics')).text).toMatch(/^zai_redis_reachable(\{.*\})? 0$/m);
      const { text, finishReasons, errors } = joinChunks(chunksOf(await stream.rest()));
      expect([text.endsWith('word40 '), finishReasons, errors]).toEqual([true, ['stop'], []]);

      if (how === 'freezes') await redis.resume();
      else {
        await redis.restart();
        await fillPool(1);
      }
      await waitFor(async () => (await postChat(url, 'hi')).status === 200, { withinMs: WITHIN_MS });
      await waitFor(async () => (await probe(translator, '/readyz')).text.includes('"redis":"reachable"'), {
        withinMs: WITHIN_MS,
      });
    },
  );

  it('end a turn at once whose process stood still until its lease was somebody else’s', async () => {
    await fillPool(1);
    const env = { ZAI_CREDENTIAL_LEASE: '2' };
    await using frozen = startTranslator(env);
    await using other = startTranslator(env);
    const stream = await openStream(urlOf(await frozen.listening), scenario('slow frames=200 delay=50'));
    await stream.find(hasContent);
    const otherUrl = urlOf(await other.listening);
    frozen.kill('SIGSTOP');
    // The upstream still runs the turn of the frozen one, and is told to allow the other.
    upstream.configure({ perTokenConcurrency: 2 });
    const successor = await openStream(otherUrl, scenario('slow frames=60 delay=50'));
    await successor.find(hasContent);
    const wokeAtMs = Date.now();
    frozen.kill('SIGCONT');
    const { abortedAtMs } = await upstream.waitForAbort(isCompletion, WITHIN_MS);
    expect(abortedAtMs! - wokeAtMs).toBeLessThan(TIMEOUT_MS + SLACK_MS + 500);
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({ errors: [{ code: 'lease_lost' }] });
    expect(joinChunks(chunksOf(await successor.rest()))).toMatchObject({ finishReasons: ['stop'], errors: [] });
    expect(await askWhole(urlOf(await frozen.listening), 'hi')).toMatchObject({ object: 'chat.completion' });
  });

  it('go on with their turns after an outage that was longer than a lease, each on its own slot', async () => {
    await fillPool(1);
    await using translator = startTranslator({ ZAI_CREDENTIAL_LEASE: '2' });
    const url = urlOf(await translator.listening);
    const stream = await openStream(url, scenario('slow frames=160 delay=50'));
    await stream.find(hasContent);
    await redis.freeze();
    await expectUnavailable(url);
    await wait(2_500);
    await redis.resume();
    await using opened = await openRedisStore(redis.settings);
    // The lease has passed its deadline, and is taken again by the turn that still runs.
    await waitFor(async () => (await opened.store.counts()).user.leased === 1, { withinMs: WITHIN_MS });
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({ finishReasons: ['stop'], errors: [] });
    await waitFor(async () => (await opened.store.counts()).user.ready === 1, { withinMs: WITHIN_MS });
  });

  it('serve from the operator’s token while it is away', async () => {
    const { token } = upstream.addUserToken();
    await using translator = startTranslator({ ZAI_UPSTREAM_TOKEN: token });
    const url = urlOf(await translator.listening);
    await redis.kill();
    for (let turn = 0; turn < 3; turn++) expect((await askWhole(url, 'hi')).choices[0]!.message.content).toBe(said);
  });

  it('take no requests before it has answered', async () => {
    await fillPool(1);
    await redis.freeze();
    await using translator = startTranslator();
    const isLate = ({ msg }: Readonly<Record<string, unknown>>): boolean => /does not answer/.test(String(msg));
    await waitFor(() => translator.logLines.some(isLate), { withinMs: 3 * WITHIN_MS });
    await redis.resume();
    expect((await postChat(urlOf(await translator.listening), 'hi')).status).toBe(200);
  });

  it('start without it', async () => {
    await redis.kill();
    await using translator = startTranslator();
    const url = urlOf(await translator.listening);
    expect(await timeOf(() => expectUnavailable(url))).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    await redis.restart();
    await fillPool(1);
    await waitFor(async () => (await postChat(url, 'hi')).status === 200, { withinMs: WITHIN_MS });
  });

  it('refuse to start on settings that contradict each other, and show no password', async () => {
    await using translator = startTranslator({
      REDIS_URL: 'http://user:open-sesame@host',
      REDIS_SENTINELS: 'a:1',
      REDIS_TLS_KEY_FILE: '/key',
    });
    const { code, stderr } = await translator.exited;
    expect(code).toBe(78);
    for (const name of ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_TLS_CERT_FILE']) expect(stderr).toContain(name);
    expect(stderr).not.toContain('open-sesame');
  });
});

describe('standalone with REDIS_URL', () => {
  it('is one refresher with the others: the pool is minted once, and again by whoever is left', async () => {
    const env = { ...redis.env, ZAI_ANON_POOL_SIZE: '3', ZAI_REFRESH_INTERVAL: '1', ZAI_API_BASE: upstream.url };
    const [one, other] = await Promise.all([startStack({ env }), startStack({ env })]);
    try {
      await using opened = await openRedisStore(redis.settings);
      const readyGuests = async (): Promise<number> => (await opened.store.counts()).guest.ready;
      await waitFor(async () => (await readyGuests()) === 3, { withinMs: WITHIN_MS });
      expect((await askWhole(other.url, 'hi')).choices[0]!.message.content).toBe(said);
      expect(upstream.issuedTokens()).toHaveLength(3);
      await one.close();
      const lease = await opened.store.lease({ signal: new AbortController().signal, waitMs: 5_000, leaseMs: 5_000 });
      await lease.release({ result: 'dead' });
      await waitFor(async () => (await readyGuests()) === 3, { withinMs: 3 * WITHIN_MS });
      expect(upstream.issuedTokens()).toHaveLength(4);
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  });

  it('shares its pool: what one mints, the other uses', async () => {
    await using one = await startStack({ env: { ...redis.env, ZAI_ANON_POOL_SIZE: '2' } });
    expect((await askWhole(one.url, 'hi')).choices[0]!.message.content).toBe(said);
    await using store = await openRedisStore(redis.settings);
    await waitFor(async () => (await store.store.counts()).guest.ready === 2, { withinMs: WITHIN_MS });
    expect(one.logText()).not.toContain(redis.url);
  });
});
