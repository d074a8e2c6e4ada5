import { once } from 'node:events';
import http from 'node:http';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import { builtInModels, openAiResponses, resolveModel } from '@zai2api/dialects';
import {
  createLogger,
  handleErrors,
  listen,
  onResponseClose,
  parseSettings,
  webUpstreamSettings,
  type RequestState,
  type RunningServer,
} from '@zai2api/runtime';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import Koa from 'koa';
import { Registry } from 'prom-client';
import { createBodyBudget, type BodyBudget } from '../body/body-budget.ts';
import { createBodyReader } from '../body/body-reader.ts';
import { translatorSettings } from '../config.ts';
import { createTranslatorMetrics } from '../metrics.ts';
import { createModelCatalog } from '../models/model-catalog.ts';
import { leaseOutcomeOf } from '../turn/lease-outcome.ts';
import { createCredentialGuard } from '../upstreams/credential-guard.ts';
import { createUpstreamBreaker } from '../upstreams/upstream-breaker.ts';
import { answerResponse } from './answer-response.ts';
import { createKeptRuns, type KeptRuns } from './kept-runs.ts';
import { createMemoryResponseStore } from './memory-response-store.ts';
import type { ResponseStore } from './response-store.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const content: TurnEvent[] = [
  { type: 'text-start', block: 0 },
  { type: 'text-delta', block: 0, text: 'hello' },
];

let server: RunningServer;
let credentials: CredentialStore;
let runs: KeptRuns;
let budget: BodyBudget;
/** The store as the requests see it; tests put their own in front of it. */
let store: ResponseStore;
/** The signals of the turns that were asked of the upstream. */
let asked: AbortSignal[];
let begun: PromiseWithResolvers<undefined>;
/** Resolves when a credential was given back. */
let released: PromiseWithResolvers<undefined>;
/** Resolves when a response is over. */
let closed: PromiseWithResolvers<undefined>;
/** Resolves when a request was dealt with. */
let handled: PromiseWithResolvers<undefined>;

beforeEach(async () => {
  asked = [];
  begun = Promise.withResolvers();
  released = Promise.withResolvers();
  closed = Promise.withResolvers();
  handled = Promise.withResolvers();
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  const metrics = createTranslatorMetrics(new Registry());
  credentials = createMemoryCredentialStore({ now: () => Date.now() });
  const identity = { id: 'c-1', token: 'token', userId: 'u', userName: '' };
  await credentials.put({ ...identity, kind: 'user', createdAtMs: 0, expiresAtMs: Infinity, concurrency: 4 });
  store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 100_000, maxResponseSize: 10_000 });
  runs = createKeptRuns({ store, logger, metrics, maxBackground: 1 });
  budget = createBodyBudget({ limit: 10_000, waitMs: 0 });
  const app = new Koa<RequestState>();
  app.silent = true;
  app.use(async (ctx, next) => {
    onResponseClose(ctx.res, () => closed.resolve(undefined));
    await next();
    handled.resolve(undefined);
  });
  app.use(
    handleErrors({
      encodeError(error) {
        const { status, headers, body } = openAiResponses.encodeError(error);
        return { status, headers, body: JSON.stringify(body) };
      },
      logger,
    }),
  );
  app.use((ctx) =>
    answerResponse(ctx, {
      store,
      runs,
      clientContextFor: () => ({ now: () => 0, newId: () => 'x', seal: (text) => text, unseal: () => undefined }),
      settings: parseSettings({ ...translatorSettings, ...webUpstreamSettings }, { ZAI_SSE_HEARTBEAT_SECONDS: '0' }),
      bodies: createBodyReader({ maxBytes: 10_000, budget }),
      catalog: {
        resolve: async (name) => ({ routes: [{ upstream: 'fake', model: resolveModel(builtInModels, name)!.model }] }),
      },
      readAttachments: async (messages) => ({ messages, media: [] }),
      schemas: { assertAll: () => undefined },
      countTokens: (text) => text.length,
      checksEvents: true,
      upstreams: [
        {
          name: 'fake',
          driver: {
            name: 'fake',
            async *run(_turn, _credential, signal) {
              asked.push(signal);
              yield [start, ...content];
              begun.resolve(undefined);
              if (!signal.aborted) await once(signal, 'abort');
              throw TurnError.from(signal.reason);
            },
            listModels: () => Promise.resolve([]),
            refresh: () => Promise.resolve(),
            stop: () => Promise.resolve(),
          },
          credentials,
          catalog: createModelCatalog({
            read: () => Promise.resolve([]),
            maxAgeMs: 0,
            now: () => 0,
            onFailure: () => undefined,
          }),
          breaker: createUpstreamBreaker({ threshold: 5, firstWaitMs: 1, longestWaitMs: 1 }),
          guard: createCredentialGuard(),
          outcomeOf(error) {
            released.resolve(undefined);
            return leaseOutcomeOf(error);
          },
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
  await runs.stop(AbortSignal.abort());
  await credentials.close();
  await store.close();
});

function post(fields: object): http.ClientRequest {
  const headers = { 'content-type': 'application/json' };
  const request = http.request({ host: '127.0.0.1', port: server.port, method: 'POST', path: '/', headers });
  request.on('error', () => undefined);
  request.end(JSON.stringify({ model: 'glm-4.7', input: 'hi', ...fields }));
  return request;
}

async function statusOf(request: http.ClientRequest): Promise<number> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

it('asks nobody for a client that left while what it goes on from was looked up', async () => {
  const looking = Promise.withResolvers<undefined>();
  const found = Promise.withResolvers<undefined>();
  const id = 'resp_0123';
  const response = JSON.stringify({ id, status: 'completed', output: [] });
  await store.begin({ id, tenant: 'anonymous', state: 'over', response, input: '[]' });
  const inner = store;
  store = {
    ...inner,
    async read(...call) {
      looking.resolve(undefined);
      await found.promise;
      return inner.read(...call);
    },
  };
  const request = post({ stream: true, previous_response_id: id });
  await looking.promise;
  request.destroy();
  await closed.promise;
  found.resolve(undefined);
  await handled.promise;
  await new Promise(setImmediate);
  expect(asked).toEqual([]);
});

it('ends the turn whose keeping fails for a reason that nobody foresaw', async () => {
  store = { ...store, begin: () => Promise.reject(new Error('a fault of ours')) };
  const status = statusOf(post({ stream: true }));
  expect(await status).toBe(500);
  await released.promise;
  expect(asked[0]?.aborted).toBe(true);
});

it('lets no more responses into the background than there may be, however close together they come', async () => {
  const both = Promise.withResolvers<undefined>();
  let waiting = 0;
  const inner = store;
  store = {
    ...inner,
    async begin(response) {
      if (++waiting === 2) both.resolve(undefined);
      await Promise.race([both.promise, handled.promise]);
      await inner.begin(response);
    },
  };
  const statuses = await Promise.all([statusOf(post({ background: true })), statusOf(post({ background: true }))]);
  expect(statuses.sort()).toEqual([200, 429]);
});

it('does not count the body of a response in the background while its client reads along', async () => {
  const request = post({ background: true, stream: true });
  expect(await statusOf(request)).toBe(200);
  await begun.promise;
  expect(budget.claimed()).toBe(0);
  request.destroy();
  await closed.promise;
});

it('does not hold the conversation of a whole answer that is too large to be kept', async () => {
  store = { ...store, maxResponseSize: 1_000 };
  const request = post({ input: 'x'.repeat(2_000) });
  await begun.promise;
  // Nothing of the request is held while its answer comes.
  expect(budget.claimed()).toBe(0);
  request.destroy();
  await closed.promise;
});

it('counts the body of a whole answer that is to be kept up to its end, for the conversation is held as long', async () => {
  const request = post({});
  await begun.promise;
  expect(budget.claimed()).toBeGreaterThan(0);
  request.destroy();
  await closed.promise;
  await new Promise(setImmediate);
  expect(budget.claimed()).toBe(0);
});
