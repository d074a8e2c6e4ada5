import { describe, expect, it } from '@jest/globals';
import { createMemoryResponseStore } from './memory-response-store.ts';
import { describeResponseStore } from './response-store.conformance.ts';
import type { NewResponse } from './response-store.ts';

describeResponseStore('the store of responses in memory', async () => {
  const store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 1_000_000 });
  return { store, other: store, close: () => store.close() };
});

describe('the memory of responses', () => {
  const whole = (id: string, length = 10): NewResponse => ({
    id,
    tenant: 't',
    state: 'over',
    response: 'x'.repeat(length),
    input: '',
  });

  it('is bounded: the oldest go first', async () => {
    const store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 100 });
    for (const id of ['a', 'b', 'c']) await store.begin(whole(id, 30));
    expect(await store.read('a', 't')).toBeDefined();
    await store.begin(whole('d', 30));
    expect(await store.read('b', 't')).toBeUndefined();
    expect(await store.read('a', 't')).toBeDefined();
    expect(store.entries).toBe(3);
    expect(store.bytes).toBeLessThanOrEqual(100);
  });

  it('says how large one may be at most, and holds one of that size', async () => {
    const store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 100, maxResponseSize: 200 });
    expect(store.maxResponseSize).toBe(100);
    await store.begin(whole('a', 100));
    expect(await store.read('a', 't')).toBeDefined();
  });

  it('loses none that its end made larger than all of it', async () => {
    const store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 100 });
    await store.begin(whole('old', 50));
    await store.begin({ ...whole('a', 60), state: 'running' });
    expect(await store.conclude('a', 't', { response: 'x'.repeat(120), before: '', after: '' }, false)).toBe(true);
    expect(await store.read('a', 't')).toMatchObject({ state: 'over' });
    expect(await store.read('old', 't')).toBeUndefined();
  });

  it('ends with its time, and a running one does not', async () => {
    let nowMs = 1;
    const store = createMemoryResponseStore({ ttlMs: 1_000, maxBytes: 1_000, now: () => nowMs });
    await store.begin(whole('a'));
    await store.begin({ ...whole('b'), state: 'running', events: { first: 0, last: 0, text: 'x' } });
    nowMs += 999;
    expect(await store.read('a', 't')).toBeDefined();
    nowMs += 2;
    expect(await store.read('a', 't')).toBeUndefined();
    expect(await store.read('b', 't')).toMatchObject({ state: 'running' });
    await store.finish('b', 'x', undefined);
    nowMs += 999;
    expect(await store.read('b', 't')).toMatchObject({ state: 'over' });
  });
});
