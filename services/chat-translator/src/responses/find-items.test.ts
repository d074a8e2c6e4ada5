import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { readResponseRequest } from '@zai2api/dialects';
import { findItems } from './find-items.ts';
import { createMemoryResponseStore, type MemoryResponseStore } from './memory-response-store.ts';

let store: MemoryResponseStore;
beforeEach(() => {
  store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 1_000_000 });
});
afterEach(() => store.close());

const hex = (number: number): string => number.toString(16).padStart(32, '0');
const idsOf = (responses: number): string[] => Array.from({ length: responses }, (_, n) => `msg_${hex(n)}_0`);
const asking = (ids: string[]) =>
  readResponseRequest({ model: 'm', input: ids.map((id) => ({ type: 'item_reference', id })) });
const find = (ids: string[], signal = new AbortController().signal) => findItems(asking(ids), store, 't', signal);

it('looks through so many responses', async () => {
  expect((await find(idsOf(256))).items.size).toBe(0);
  await expect(find(idsOf(257))).rejects.toMatchObject({ code: 'invalid_request', details: { param: 'input' } });
});

it('ends when its client leaves', async () => {
  await expect(find(idsOf(3), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
});
