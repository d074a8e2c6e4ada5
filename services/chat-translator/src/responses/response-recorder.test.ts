import { describe, expect, it, jest } from '@jest/globals';
import { createLogger } from '@zai2api/runtime';
import { createMemoryResponseStore } from './memory-response-store.ts';
import { createResponseRecorder, type LossReason } from './response-recorder.ts';
import type { EventBatch, ResponseStore } from './response-store.ts';
import { responseStoreUnavailable } from './store-unavailable.ts';

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const id = 'resp_1';
const batch = (number: number): EventBatch => ({ first: number, last: number, text: `${number}\n\n` });

async function open(store: ResponseStore, maxSize = 1_000) {
  await store.begin({ id, tenant: 't', state: 'running', response: '{}', input: '[]', events: batch(0) });
  const losses: LossReason[] = [];
  const options = { id, store, startSize: 10, maxSize, logger, patienceMs: 100 };
  const recorder = createResponseRecorder({ ...options, onLost: (reason) => losses.push(reason) });
  const kept = async (): Promise<string> => (await store.readEvents(id, 0)).batches.map(({ text }) => text).join('');
  return { recorder, losses, kept };
}

const memory = () => createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 1_000_000 });

describe('a recorder', () => {
  it('sends what comes while the store is busy in one piece, in order', async () => {
    const store = memory();
    const append = jest.spyOn(store, 'append');
    const { recorder, kept } = await open(store);
    for (let number = 1; number <= 50; number += 1) recorder.add(batch(number));
    await recorder.finish(batch(51), '{"a":1}');
    expect(await kept()).toBe(Array.from({ length: 52 }, (_, number) => `${number}\n\n`).join(''));
    expect(append.mock.calls.length).toBeLessThan(5);
    expect(await store.read(id, 't')).toMatchObject({ state: 'over', response: '{"a":1}' });
  });

  it('tries again while the store does not answer, and loses nothing', async () => {
    const store = memory();
    const append = jest.spyOn(store, 'append').mockRejectedValueOnce(responseStoreUnavailable('x'));
    const { recorder, kept, losses } = await open(store);
    recorder.add(batch(1), '{"b":1}');
    recorder.add(batch(2));
    await recorder.finish(batch(3), '{"a":1}');
    expect(append).toHaveBeenCalled();
    expect([await kept(), losses]).toEqual(['0\n\n1\n\n2\n\n3\n\n', []]);
  });

  it('gives up some time after the end', async () => {
    const store = memory();
    jest.spyOn(store, 'append').mockRejectedValue(responseStoreUnavailable('x'));
    jest.spyOn(store, 'finish').mockRejectedValue(responseStoreUnavailable('x'));
    const { recorder } = await open(store);
    recorder.add(batch(1));
    await recorder.finish(batch(2), '{}');
    expect(await store.read(id, 't')).toMatchObject({ state: 'running' });
  });

  it.each<[LossReason, number]>([
    ['taken', 1_000],
    ['too-large', 20],
  ])('says once that it is lost: %s', async (reason, maxSize) => {
    const store = memory();
    const { recorder, losses } = await open(store, maxSize);
    if (reason === 'taken') await store.remove(id, 't');
    for (let number = 1; number <= 9; number += 1) recorder.add(batch(number));
    await recorder.finish(batch(10), '{}');
    expect(losses).toEqual([reason]);
  });
});
