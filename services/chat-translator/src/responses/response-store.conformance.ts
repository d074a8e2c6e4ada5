import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventBatch, Hold, NewResponse, ResponseStore } from './response-store.ts';

/** Two stores on the same ground, as two processes have them; the same one twice where there is only one process. */
export interface StoresUnderTest {
  readonly store: ResponseStore;
  readonly other: ResponseStore;
  /** Resolves when the process of `store` counts as gone. Only with `processesDie`. */
  readonly waitUntilDead?: () => Promise<void>;
  close(): Promise<void>;
}

const tenant = 'tenant';
const conclusion = { response: '{"status":"cancelled"}', before: 'event ', after: '\n\n' };
const batch = (first: number, last = first): EventBatch => ({ first, last, text: `${first}..${last}\n\n` });
const textsOf = ({ batches }: { readonly batches: readonly EventBatch[] }): string[] => batches.map(({ text }) => text);

/** Calls `listener` at the latest when the test has waited for long enough. */
async function called(listen: (listener: () => void) => () => void, act: () => Promise<unknown>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = listen(() => resolve(undefined));
  const timer = setTimeout(() => reject(new Error('nobody called')), 15_000);
  // Hearing begins in the background: what is said again and again is heard once it has begun.
  const again = setInterval(() => void act(), 50);
  try {
    await act();
    await promise;
  } finally {
    clearInterval(again);
    clearTimeout(timer);
    stop();
  }
}

/** What every store of responses does; with `processesDie` also what one does that several processes share. */
export function describeResponseStore(
  name: string,
  open: () => Promise<StoresUnderTest>,
  { processesDie = false } = {},
): void {
  describe(name, () => {
    let stores: StoresUnderTest;
    let store: ResponseStore;
    let other: ResponseStore;
    let ids = 0;
    const begun = async (fields: Partial<NewResponse> = {}): Promise<string> => {
      const id = `resp_${(ids += 1)}`;
      await store.begin({ id, tenant, state: 'running', response: '{}', input: '[1]', events: batch(0, 1), ...fields });
      return id;
    };
    beforeEach(async () => {
      stores = await open();
      ({ store, other } = stores);
    });
    afterEach(() => stores.close());

    it('knows nothing of what was never kept', async () => {
      expect(await store.read('resp_none', tenant)).toBeUndefined();
      expect(await store.readInput('resp_none', tenant)).toBeUndefined();
      expect(await store.readEvents('resp_none', 0)).toEqual({ state: 'gone', batches: [] });
      expect(await store.append('resp_none', batch(0))).not.toBe('ours');
      expect(await store.finish('resp_none', '{}', batch(0))).not.toBe('ours');
      expect(await store.renew('resp_none')).not.toBe('ours');
      expect(await store.conclude('resp_none', tenant, conclusion, false)).toBe(false);
      expect(await store.remove('resp_none', tenant)).toBe(false);
    });

    it('keeps a whole response, for whoever shares the store and may see it', async () => {
      const id = await begun({ state: 'over', response: '{"a":1}', events: undefined });
      expect(await other.read(id, tenant)).toEqual({ state: 'over', response: '{"a":1}', hasEvents: false });
      expect(await other.readInput(id, tenant)).toBe('[1]');
      expect(await other.readEvents(id, 0)).toEqual({ state: 'over', batches: [] });
    });

    it('shows nothing to another tenant, and lets it do nothing', async () => {
      const id = await begun();
      expect(await store.read(id, 'somebody else')).toBeUndefined();
      expect(await store.readInput(id, 'somebody else')).toBeUndefined();
      expect(await store.conclude(id, 'somebody else', conclusion, false)).toBe(false);
      expect(await store.remove(id, 'somebody else')).toBe(false);
      expect(await store.read(id, tenant)).toBeDefined();
    });

    it('takes events in order, and gives them from any number on', async () => {
      const id = await begun();
      expect(await other.read(id, tenant)).toEqual({ state: 'running', response: '{}', hasEvents: true });
      expect(await store.append(id, batch(2, 5))).toBe('ours');
      expect(await store.append(id, batch(6), '{"now":1}')).toBe('ours');
      expect(await other.read(id, tenant)).toMatchObject({ state: 'running', response: '{"now":1}' });
      expect(await other.readEvents(id, 0)).toEqual({
        state: 'running',
        batches: [batch(0, 1), batch(2, 5), batch(6)],
      });
      // The batch that holds the number, whole.
      expect(textsOf(await other.readEvents(id, 3))).toEqual(['2..5\n\n', '6..6\n\n']);
      expect(textsOf(await other.readEvents(id, 7))).toEqual([]);
      expect(await store.finish(id, '{"b":2}', batch(7))).toBe('ours');
      expect(await other.readEvents(id, 6)).toEqual({ state: 'over', batches: [batch(6), batch(7)] });
      expect(await other.read(id, tenant)).toEqual({ state: 'over', response: '{"b":2}', hasEvents: true });
    });

    it('keeps what was sent twice once', async () => {
      const id = await begun();
      await store.append(id, batch(2, 3));
      expect(await store.append(id, batch(2, 3))).toBe('ours');
      // What had been waiting behind it goes along the second time.
      await store.append(id, batch(2, 4));
      expect(textsOf(await store.readEvents(id, 4))).toEqual(['2..4\n\n']);
      expect((await store.readEvents(id, 0)).batches.map(({ last }) => last)).toEqual([1, 3, 4]);
    });

    it('hands many events out in pieces', async () => {
      const id = await begun();
      for (let number = 2; number < 152; number += 1) await store.append(id, batch(number));
      const seen: number[] = [];
      for (let from = 0; seen.at(-1) !== 151;) {
        const { batches } = await other.readEvents(id, from);
        expect(batches.length).toBeGreaterThan(0);
        seen.push(...batches.map(({ last }) => last));
        from = (seen.at(-1) ?? 0) + 1;
      }
      expect(seen).toEqual([1, ...Array.from({ length: 150 }, (_, index) => index + 2)]);
    });

    it('takes nothing behind the end', async () => {
      const id = await begun();
      await store.finish(id, '{"b":2}', undefined);
      expect(await store.append(id, batch(2))).toBe('taken');
      expect(await store.finish(id, '{"c":3}', batch(2))).toBe('taken');
      expect(await store.renew(id)).toBe('taken');
      expect(await store.conclude(id, tenant, conclusion, false)).toBe(false);
      expect(await store.read(id, tenant)).toMatchObject({ state: 'over', response: '{"b":2}' });
    });

    it('lets somebody else end it, with the next number, once', async () => {
      const id = await begun();
      await store.append(id, batch(2, 4));
      expect(await other.conclude(id, tenant, conclusion, true)).toBe(false);
      expect(await other.conclude(id, tenant, conclusion, false)).toBe(true);
      expect(await other.conclude(id, tenant, conclusion, false)).toBe(false);
      expect(await store.renew(id)).toBe('taken');
      expect(await store.append(id, batch(5))).toBe('taken');
      expect(await store.read(id, tenant)).toMatchObject({ state: 'over', response: conclusion.response });
      expect(await store.readEvents(id, 5)).toEqual({
        state: 'over',
        batches: [{ first: 5, last: 5, text: 'event 5\n\n' }],
      });
    });

    it('tells its process when a response was taken from it', async () => {
      const taken: string[] = [];
      await called(
        (listener) =>
          store.onTaken((id) => {
            taken.push(id);
            listener();
          }),
        async () => other.conclude(await begun(), tenant, conclusion, false),
      );
      await called(
        (listener) =>
          store.onTaken((id) => {
            taken.push(id);
            listener();
          }),
        async () => other.remove(await begun(), tenant),
      );
      expect(taken.length).toBeGreaterThanOrEqual(2);
    });

    it('tells of news', async () => {
      const id = await begun();
      let last = 1;
      const append = (): Promise<Hold> => store.append(id, batch((last += 1)));
      await called((listener) => other.onNews(id, listener), append);
      await called((listener) => other.onNews(id, listener), append);
      const ended = await begun();
      await called(
        (listener) => other.onNews(ended, listener),
        () => store.finish(ended, '{}', undefined).then(() => store.remove(ended, tenant)),
      );
    });

    it('forgets it, running or not', async () => {
      for (const id of [await begun(), await begun({ state: 'over' })]) {
        expect(await other.remove(id, tenant)).toBe(true);
        expect(await other.remove(id, tenant)).toBe(false);
        expect(await store.read(id, tenant)).toBeUndefined();
        expect(await store.readEvents(id, 0)).toEqual({ state: 'gone', batches: [] });
        expect(await store.append(id, batch(2))).toBe('taken');
      }
    });

    it('keeps texts as they are', async () => {
      const text = 'event: x\ndata: {"a":"\\u0000 äöü 🎈 \\"%1 {}"}\n\n';
      const id = await begun({ response: text, input: text, events: { first: 0, last: 0, text } });
      expect((await other.read(id, tenant))?.response).toBe(text);
      expect(await other.readInput(id, tenant)).toBe(text);
      expect(textsOf(await other.readEvents(id, 0))).toEqual([text]);
    });

    if (processesDie) {
      it('notices the death of a process, and lets others end what it ran', async () => {
        const { waitUntilDead } = stores;
        if (!waitUntilDead) throw new Error('processesDie needs waitUntilDead');
        const id = await begun();
        await waitUntilDead();
        expect(await other.read(id, tenant)).toMatchObject({ state: 'dead' });
        expect(await other.readEvents(id, 0)).toMatchObject({ state: 'dead' });
        // It only stood still.
        expect(await store.renew(id)).toBe('ours');
        expect(await other.read(id, tenant)).toMatchObject({ state: 'running' });
        await waitUntilDead();
        expect(await other.conclude(id, tenant, conclusion, true)).toBe(true);
        expect(await store.append(id, batch(2))).toBe('taken');
        expect(await other.read(id, tenant)).toMatchObject({ state: 'over', response: conclusion.response });
      });
    }
  });
}
