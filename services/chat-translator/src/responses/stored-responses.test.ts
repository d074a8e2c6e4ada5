import { once } from 'node:events';
import http from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { openAiResponses } from '@zai2api/dialects';
import { createLogger, handleErrors, listen, type RequestState, type RunningServer } from '@zai2api/runtime';
import Koa from 'koa';
import { Registry } from 'prom-client';
import { createBodyBudget } from '../body/body-budget.ts';
import { createBodyReader } from '../body/body-reader.ts';
import { createTranslatorMetrics } from '../metrics.ts';
import { createFollowerPlaces } from './follower-places.ts';
import { createMemoryResponseStore, type MemoryResponseStore } from './memory-response-store.ts';
import { showResponse } from './stored-responses.ts';

const id = 'resp_0123';
let store: MemoryResponseStore;
let server: RunningServer;
/** Called when a request was dealt with. */
let onHandled: () => void;

beforeEach(async () => {
  onHandled = () => undefined;
  store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 100_000 });
  const events = { first: 0, last: 0, text: 'data: {}\n\n' };
  await store.begin({ id, tenant: 'anonymous', state: 'running', response: '{}', input: '[]', events });
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  const options = {
    store,
    clientContextFor: () => ({ now: () => 0, newId: () => 'x', seal: (text: string) => text, unseal: () => undefined }),
    bodies: createBodyReader({ maxBytes: 1_000, budget: createBodyBudget({ limit: 1_000, waitMs: 0 }) }),
    countTokens: (text: string) => text.length,
    heartbeatMs: 0,
    logger,
    metrics: createTranslatorMetrics(new Registry()),
    followers: createFollowerPlaces(2),
  };
  const app = new Koa<RequestState>();
  app.silent = true;
  app.use(
    handleErrors({
      encodeError(error) {
        const { status, headers, body } = openAiResponses.encodeError(error);
        return { status, headers, body: JSON.stringify(body) };
      },
      logger,
    }),
  );
  app.use(async (ctx) => {
    await showResponse(ctx, id, options).finally(() => onHandled());
  });
  const handler = app.callback();
  server = await listen((request, response) => void handler(request, response), { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  await server.stop(AbortSignal.abort());
  await store.close();
});

async function follow(): Promise<http.IncomingMessage> {
  const request = http.get({ host: '127.0.0.1', port: server.port, path: '/?stream=true' });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response;
}

it('lets no more clients read along than there are places, and others in when they leave', async () => {
  const first = await follow();
  const second = await follow();
  const third = await follow();
  expect([first, second, third].map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
  expect(third.headers['retry-after']).toBe('5');
  expect(await json(third)).toMatchObject({ error: { code: 'concurrency_limit_exceeded' } });
  const left = Promise.withResolvers<undefined>();
  onHandled = () => left.resolve(undefined);
  first.destroy();
  await left.promise;
  const fourth = await follow();
  expect(fourth.statusCode).toBe(200);
  for (const { socket } of [second, fourth]) socket.destroy();
});

it('tells of the end of one that is deleted meanwhile with the number that comes next', async () => {
  const followed = await follow();
  followed.setEncoding('utf8');
  let all = '';
  for await (const part of followed) {
    if (all === '') await store.remove(id, 'anonymous');
    all += String(part);
  }
  expect(all).toMatch(/event: error\ndata: {"type":"error","sequence_number":1,/);
});
