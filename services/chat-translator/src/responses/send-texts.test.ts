import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { abortOnClose, createLogger, listen, type RequestState, type RunningServer } from '@zai2api/runtime';
import Koa from 'koa';
import { sendTexts } from './send-texts.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let server: RunningServer;
/** What the next request is answered with. */
let texts: AsyncIterable<string>;
/** Resolves when a request was dealt with. */
let handled: PromiseWithResolvers<undefined>;

beforeEach(async () => {
  handled = Promise.withResolvers();
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  const app = new Koa<RequestState>();
  app.use(async (ctx) => {
    await sendTexts(ctx, texts, { heartbeatMs: 0, signal: abortOnClose(ctx.res), logger, beginsAtOnce: true });
    handled.resolve(undefined);
  });
  const handler = app.callback();
  server = await listen((request, response) => void handler(request, response), { host: '127.0.0.1', port: 0 });
});
afterEach(() => server.stop(AbortSignal.abort()));

async function get(): Promise<http.IncomingMessage> {
  const request = http.get({ host: '127.0.0.1', port: server.port });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response;
}

/** Texts of one iterator, which says when it was left. */
function textsFrom(next: () => Promise<IteratorResult<string>>, onReturn = (): void => undefined) {
  return {
    [Symbol.asyncIterator]: () => ({
      next,
      return() {
        onReturn();
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
}

it('breaks off the answer when its texts do', async () => {
  texts = textsFrom(() => Promise.reject(new Error('a fault of ours')));
  const response = await get();
  await expect(text(response)).rejects.toThrow('aborted');
  await handled.promise;
});

it('leaves texts that nobody knows the next one of, once the client has left', async () => {
  const left = Promise.withResolvers<undefined>();
  texts = textsFrom(
    () => new Promise(() => undefined),
    () => left.resolve(undefined),
  );
  (await get()).destroy();
  await left.promise;
  await handled.promise;
});

it('holds on to no text that was sent', async () => {
  const sent: WeakRef<object>[] = [];
  let held = Infinity;
  texts = textsFrom(async () => {
    await new Promise(setImmediate);
    if (sent.length === 100) {
      collectGarbage();
      held = sent.filter((reference) => reference.deref()).length;
      return { done: true, value: undefined };
    }
    const result = { done: false, value: `${sent.length} ` };
    sent.push(new WeakRef(result));
    return result;
  });
  expect(await text(await get())).toMatch(/98 99 $/);
  expect(held).toBeLessThan(10);
});
