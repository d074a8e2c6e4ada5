import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createLogger } from '@zai2api/runtime';
import { Registry } from 'prom-client';
import { createTranslatorMetrics } from '../metrics.ts';
import { createKeptRuns } from './kept-runs.ts';
import { createMemoryResponseStore, type MemoryResponseStore } from './memory-response-store.ts';

let store: MemoryResponseStore;
beforeEach(() => {
  store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 1_000_000 });
});
afterEach(() => store.close());

it('gives one key three quarters of the background, and everybody all of it', () => {
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  const runs = createKeptRuns({ store, logger, metrics: createTranslatorMetrics(new Registry()) });
  const reserve = (tenant: string) => runs.reserveBackground(tenant, 4);
  const places = ['a', 'a', 'a'].map(reserve);
  expect(places.every((place) => place !== undefined)).toBe(true);
  expect(reserve('a')).toBeUndefined();
  expect(reserve('b')).toBeDefined();
  expect(reserve('b')).toBeUndefined();
  places[0]?.();
  expect(reserve('a')).toBeDefined();
});
