import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { readResponseRequest } from '@zai2api/dialects';
import { createLogger } from '@zai2api/runtime';
import type { TurnError } from '@zai2api/turn';
import { Registry } from 'prom-client';
import { createTranslatorMetrics } from '../metrics.ts';
import { createKeptRuns } from './kept-runs.ts';
import { createMemoryResponseStore, type MemoryResponseStore } from './memory-response-store.ts';

let store: MemoryResponseStore;
beforeEach(() => {
  store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 1_000_000 });
});
afterEach(() => store.close());

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

it('gives one key three quarters of the background, and everybody all of it', () => {
  const runs = createKeptRuns({ store, logger, metrics: createTranslatorMetrics(new Registry()), maxBackground: 4 });
  const reserve = (tenant: string) => runs.reserveBackground(tenant);
  const places = ['a', 'a', 'a'].map(reserve);
  expect(places.every((place) => place !== undefined)).toBe(true);
  expect(reserve('a')).toBeUndefined();
  expect(reserve('b')).toBeDefined();
  expect(reserve('b')).toBeUndefined();
  places[0]?.();
  expect(reserve('a')).toBeDefined();
});

it('moves those whose reader left into the background, and calls off those that find no place there', async () => {
  const metrics = createTranslatorMetrics(new Registry());
  const runs = createKeptRuns({ store, logger, metrics, maxBackground: 1 });
  const context = { now: () => 0, newId: () => 'id', seal: (text: string) => text, unseal: () => undefined };
  const reasons: (string | undefined)[] = [];
  const begin = (index: number): AsyncIterator<string> => {
    const decoded = readResponseRequest({ model: 'm', input: 'hi', stream: true }).decode(context, {
      items: new Map(),
    });
    const encoder = decoded.createStreamEncoder();
    const begun = { text: encoder.begin('m'), first: 0, last: 1 };
    const opened = Promise.withResolvers<never>();
    const abort = (reason: TurnError): void => {
      reasons[index] ??= reason.code;
      opened.reject(reason);
    };
    const turn = { opened: opened.promise, close: () => undefined };
    const run = { id: `resp_${index}`, tenant: 't', background: false, encoder, begun, startSize: 0, turn, abort };
    return runs.start({ ...run, onError: () => undefined })[Symbol.asyncIterator]();
  };
  const readers = [begin(0), begin(1)];
  for (const reader of readers) await reader.return?.();
  expect([...reasons]).toEqual([undefined, 'cancelled']);
  expect(runs.reserveBackground('t')).toBeUndefined();
  await runs.stop(AbortSignal.abort());
  expect(reasons).toEqual(['shutting_down', 'cancelled']);
  expect((await metrics.keptRuns.get()).values.map(({ value }) => value)).toEqual([0, 0]);
});
