import { once } from 'node:events';
import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type CredentialStore, type PoolCounts } from '@zai2api/credentials';
import { builtInModels, openAiChat, resolveModel } from '@zai2api/dialects';
import {
  createLogger,
  handleErrors,
  listen,
  parseSettings,
  webUpstreamSettings,
  type RequestState,
  type RunningServer,
} from '@zai2api/runtime';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import Koa from 'koa';
import { Registry } from 'prom-client';
import { translatorSettings } from '../config.ts';
import { createBodyBudget } from '../body/body-budget.ts';
import { createBodyReader } from '../body/body-reader.ts';
import { createTranslatorMetrics, type TranslatorMetrics } from '../metrics.ts';
import type { UpstreamDriver } from '../upstream-driver.ts';
import { createModelCatalog } from '../models/model-catalog.ts';
import { leaseOutcomeOf } from '../turn/lease-outcome.ts';
import { createCredentialGuard } from '../upstreams/credential-guard.ts';
import { createUpstreamBreaker } from '../upstreams/upstream-breaker.ts';
import { answerTurn } from './answer-turn.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const content: TurnEvent[] = [
  { type: 'text-start', block: 0 },
  { type: 'text-delta', block: 0, text: 'hello' },
];
const usage = {
  inputTokens: 3,
  outputTokens: 4,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent[] = [
  { type: 'text-end', block: 0 },
  { type: 'turn-end', reason: 'stop', usage },
];
const busy = new TurnError('upstream_busy', 'Too much.', { layer: 'upstream', reason: 'upstream_concurrency' });
const refused = new TurnError('content_refused', 'No.', { layer: 'upstream' });

type Act = (signal: AbortSignal) => AsyncIterable<TurnEvent[]>;
const silent = async (signal: AbortSignal): Promise<never> => {
  if (!signal.aborted) await once(signal, 'abort');
  throw TurnError.from(signal.reason);
};

const acts = {
  async *answers() {
    yield [start, ...content];
    yield end;
  },
  async *failsAtOnce() {
    yield [{ type: 'turn-error', error: refused }];
  },
  async *failsBehindContent() {
    yield [start, ...content];
    yield [{ type: 'turn-error', error: busy }];
  },
  async *breaksBehindContent() {
    yield [start, ...content];
    throw new Error('a fault of ours');
  },
  async *breaksTheRules() {
    yield [start, ...content];
    yield [{ type: 'text-delta', block: 7, text: 'x' }];
    yield end;
  },
  async *saysNothing(signal) {
    yield await silent(signal);
  },
  async *stopsInContent(signal) {
    yield [start, ...content];
    yield await silent(signal);
  },
} satisfies Record<string, Act>;
type ActName = keyof typeof acts;
const actOf =
  (name: ActName): Act =>
  (signal) =>
    acts[name](signal);

describe('answerTurn', () => {
  let server: RunningServer;
  let store: CredentialStore;
  let metrics: TranslatorMetrics;
  let act: Act;
  let driverBegan: PromiseWithResolvers<undefined>;
  let graceSeconds: string;
  let handled: PromiseWithResolvers<undefined>;

  beforeEach(async () => {
    driverBegan = Promise.withResolvers();
    handled = Promise.withResolvers();
    graceSeconds = '10';
    metrics = createTranslatorMetrics(new Registry());
    store = createMemoryCredentialStore({ now: () => Date.now() });
    const identity = { id: 'c-1', token: 'token', userId: 'u', userName: '' };
    await store.put({ ...identity, kind: 'user', createdAtMs: 0, expiresAtMs: Infinity, concurrency: 1 });
    const driver: UpstreamDriver = {
      name: 'fake',
      async *run(_turn, _credential, signal) {
        driverBegan.resolve(undefined);
        yield* act(signal);
      },
      listModels: () => Promise.resolve([]),
      refresh: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    };
    const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
    const encodeError = (error: TurnError) => {
      const { status, headers, body } = openAiChat.encodeError(error);
      return { status, headers, body: JSON.stringify(body) };
    };
    const app = new Koa<RequestState>();
    app.silent = true;
    app.use(async (_ctx, next) => {
      await next();
      handled.resolve(undefined);
    });
    app.use(handleErrors({ encodeError, logger }));
    app.use((ctx) =>
      answerTurn(ctx, openAiChat, {
        clientContextFor: () => ({ now: () => 0, newId: () => 'x', seal: (text) => text, unseal: () => undefined }),
        settings: parseSettings(
          { ...translatorSettings, ...webUpstreamSettings },
          { ZAI_FIRST_BYTE_GRACE: graceSeconds, ZAI_SSE_HEARTBEAT_SECONDS: '0' },
        ),
        bodies: createBodyReader({ maxBytes: 10_000, budget: createBodyBudget({ limit: 10_000, waitMs: 0 }) }),
        catalog: {
          resolve: async (name) => ({
            routes: [{ upstream: 'fake', model: resolveModel(builtInModels, name)!.model }],
          }),
        },
        readAttachments: async (messages) => ({ messages, media: [] }),
        schemas: { assertAll: () => undefined },
        countTokens: (text) => text.length,
        checksEvents: true,
        upstreams: [
          {
            name: 'fake',
            driver,
            credentials: store,
            catalog: createModelCatalog({
              read: () => Promise.resolve([]),
              maxAgeMs: 0,
              now: () => 0,
              onFailure: () => undefined,
            }),
            breaker: createUpstreamBreaker({ threshold: 5, firstWaitMs: 1, longestWaitMs: 1 }),
            guard: createCredentialGuard(),
            outcomeOf: leaseOutcomeOf,
            observe: () => undefined,
          },
        ],
        credentialWaitMs: 0,
        leaseMs: 60_000,
        retryBudgetMs: 60_000,
        logger,
        metrics,
      }),
    );
    const handler = app.callback();
    server = await listen((request, response) => void handler(request, response), { host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    await server.stop(AbortSignal.abort());
    await store.close();
  });

  function post(body: unknown): { client: http.ClientRequest; answer: Promise<{ status: number; text: string }> } {
    const headers = { 'content-type': 'application/json' };
    const client = http.request({ host: '127.0.0.1', port: server.port, method: 'POST', path: '/', headers });
    const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
      client.on('error', reject);
      client.on('response', (response: http.IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
    });
    client.end(JSON.stringify(body));
    return { client, answer };
  }
  const ask = (stream: boolean): unknown => ({
    model: 'glm-4.7',
    stream,
    messages: [{ role: 'user', content: 'hi' }],
  });

  /** The counted turns, once the response is closed on our side. */
  async function counted(): Promise<unknown[]> {
    await handled.promise;
    for (let running = 1; running !== 0;) {
      await new Promise(setImmediate);
      running = (await metrics.runningTurns.get()).values[0]?.value ?? 0;
    }
    return (await metrics.turns.get()).values.map(({ labels, value }) => ({ ...labels, value }));
  }
  const users = async (): Promise<PoolCounts['user']> => (await store.counts()).user;

  it.each<[ActName, boolean, number, string, RegExp]>([
    ['answers', false, 200, 'complete', /"content":"hello"/],
    ['answers', true, 200, 'complete', /hello[^]*\[DONE\]/],
    ['failsAtOnce', false, 400, 'content_refused', /"error"/],
    ['failsAtOnce', true, 400, 'content_refused', /^\{"error"/],
    ['failsBehindContent', false, 429, 'upstream_busy', /^\{"error"/],
    ['failsBehindContent', true, 200, 'upstream_busy', /hello[^]*"error"/],
    ['breaksBehindContent', false, 500, 'internal', /^\{"error"/],
    ['breaksBehindContent', true, 200, 'internal', /hello[^]*"error"/],
    ['breaksTheRules', true, 200, 'internal', /hello[^]*"error"/],
  ])('that %s, streamed %p: status %d, counted as %s', async (name, stream, status, outcome, text) => {
    act = actOf(name);
    const answer = await post(ask(stream)).answer;
    expect(answer.text).toMatch(text);
    expect(answer.text).not.toContain('a fault of ours');
    expect(answer.status).toBe(status);
    expect(await counted()).toEqual([
      { dialect: 'openai-chat', model: 'glm-4.7', stream: String(stream), outcome, value: 1 },
    ]);
    expect((await users()).leased).toBe(0);
    expect((await users()).coolingDown).toBe(name === 'failsBehindContent' ? 1 : 0);
  });

  it('tells a failure behind the grace within the stream', async () => {
    graceSeconds = '0';
    const hasBegun = Promise.withResolvers<undefined>();
    act = async function* () {
      await hasBegun.promise;
      yield* acts.failsAtOnce();
    };
    const { client, answer } = post(ask(true));
    await once(client, 'response');
    hasBegun.resolve(undefined);
    const { status, text } = await answer;
    expect([status, text]).toEqual([200, expect.stringMatching(/^: keep-alive\n\ndata: \{"error"/)]);
    expect(await counted()).toMatchObject([{ outcome: 'content_refused', value: 1 }]);
  });

  it.each<[ActName, boolean]>([
    ['saysNothing', false],
    ['saysNothing', true],
    ['stopsInContent', false],
    ['stopsInContent', true],
  ])(
    'that %s, streamed %p: a client that leaves is counted as cancelled, its credential is free',
    async (name, stream) => {
      act = actOf(name);
      const { client, answer } = post(ask(stream));
      const left = answer.catch((reason: unknown) => reason);
      await driverBegan.promise;
      if (name === 'stopsInContent' && stream) await once(client, 'response');
      client.destroy();
      await left;
      expect(await counted()).toEqual([
        { dialect: 'openai-chat', model: 'glm-4.7', stream: String(stream), outcome: 'cancelled', value: 1 },
      ]);
      expect(await users()).toMatchObject({ ready: 1, coolingDown: 0 });
    },
  );

  it('counts no turn for a request that is none', async () => {
    act = actOf('answers');
    expect((await post({ messages: 'no' }).answer).status).toBe(400);
    expect(await counted()).toEqual([]);
  });
});
