import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readResponseRequest } from '@zai2api/dialects';
import { createLogger } from '@zai2api/runtime';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import { startKeptRun, type KeptRun, type StartedRun } from './kept-run.ts';
import { createMemoryResponseStore, type MemoryResponseStore } from './memory-response-store.ts';
import type { LossReason } from './response-recorder.ts';

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const id = 'resp_id';
const tenant = 't';
const context = { now: () => 0, newId: () => 'id', seal: (text: string) => text, unseal: () => undefined };
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const open: TurnEvent = { type: 'text-start', block: 0 };
const delta = (text: string): TurnEvent => ({ type: 'text-delta', block: 0, text });
const end: TurnEvent[] = [
  { type: 'text-end', block: 0 },
  { type: 'turn-end', reason: 'stop', usage },
];

/** A turn whose events the test sends, and what became of it. */
interface Scene {
  readonly run: StartedRun;
  send(...events: TurnEvent[]): void;
  finish(): void;
  readonly losses: LossReason[];
  readonly lost: Promise<undefined>;
  readonly errors: TurnError[];
  aborted(): TurnError | undefined;
  readonly isClosed: () => boolean;
}

describe('a run that is kept', () => {
  let store: MemoryResponseStore;
  beforeEach(() => {
    store = createMemoryResponseStore({ ttlMs: 60_000, maxBytes: 1_000_000 });
  });
  afterEach(() => store.close());

  async function begin({ background = false, maxSize = 1_000_000, hasPlace = true } = {}): Promise<Scene> {
    const body = { model: 'm', input: 'hi', stream: true, background };
    const encoder = readResponseRequest(body).decode(context, { items: new Map() }).createStreamEncoder();
    const text = background ? encoder.queue('m') : encoder.begin('m');
    const begun = { first: 0, last: encoder.nextSequenceNumber - 1, text };
    const response = JSON.stringify(encoder.describe());
    await store.begin({ id, tenant, state: 'running', response, input: '[]', events: begun });

    const sent: (TurnEvent[] | 'end')[] = [];
    let wake = Promise.withResolvers<undefined>();
    const controller = new AbortController();
    const losses: LossReason[] = [];
    const lost = Promise.withResolvers<undefined>();
    const errors: TurnError[] = [];
    let isClosed = false;
    controller.signal.addEventListener('abort', () => wake.resolve(undefined));
    async function* batches(): AsyncGenerator<TurnEvent[]> {
      for (;;) {
        const batch = sent.shift();
        if (controller.signal.aborted) throw TurnError.from(controller.signal.reason);
        if (batch === 'end') return;
        if (batch) yield batch;
        else await wake.promise;
      }
    }
    const add = (batch: TurnEvent[] | 'end'): void => {
      sent.push(batch);
      wake.resolve(undefined);
      wake = Promise.withResolvers();
    };
    const opened = Object.assign(batches(), { upstream: 'test', warnings: [] });
    const keptRun: KeptRun = {
      id,
      tenant,
      background,
      encoder,
      begun,
      startSize: text.length,
      turn: { opened: Promise.resolve(opened), close: () => (isClosed = true) },
      abort: (reason) => controller.abort(reason),
      onError: (error) => errors.push(error),
    };
    const onLost = (reason: LossReason): void => {
      losses.push(reason);
      lost.resolve(undefined);
    };
    const run = startKeptRun(keptRun, { store, maxSize, logger, onLost, moveToBackground: () => hasPlace });
    store.onTaken(() => run.take());
    return {
      run,
      send: (...events) => add(events),
      finish: () => add('end'),
      losses,
      lost: lost.promise,
      errors,
      aborted: () => controller.signal.reason as TurnError | undefined,
      isClosed: () => isClosed,
    };
  }

  async function readAll(texts: AsyncIterable<string>): Promise<string> {
    let all = '';
    for await (const text of texts) all += text;
    return all;
  }
  const stateOf = async (): Promise<unknown> => {
    const kept = await store.read(id, tenant);
    return kept && [kept.state, (JSON.parse(kept.response) as { status: string }).status];
  };

  it('is read and kept alike', async () => {
    const scene = await begin();
    scene.send(start, open, delta('Hello'));
    scene.send(delta(' there'), ...end);
    const text = await readAll(scene.run.texts);
    await scene.run.over;
    const { batches } = await store.readEvents(id, 0);
    expect(`${batches.map((batch) => batch.text).join('')}data: [DONE]\n\n`).toBe(text);
    expect([await stateOf(), scene.isClosed(), scene.aborted()]).toEqual([['over', 'completed'], true, undefined]);
  });

  it('goes on without a reader', async () => {
    const scene = await begin();
    await scene.run.texts[Symbol.asyncIterator]().return?.();
    scene.send(start, open, delta('Hello'), ...end);
    await scene.run.over;
    expect([await stateOf(), scene.losses]).toEqual([['over', 'completed'], []]);
  });

  it('is called off when its reader leaves and there is no place for it', async () => {
    const scene = await begin({ hasPlace: false });
    scene.send(start, open, delta('Hello'));
    await scene.run.texts[Symbol.asyncIterator]().return?.();
    await scene.run.over;
    expect([scene.aborted()?.code, scene.errors, scene.losses]).toEqual(['cancelled', [], []]);
    expect(await stateOf()).toEqual(['over', 'cancelled']);
  });

  it('fails with its turn', async () => {
    const scene = await begin();
    scene.send(start, open, delta('Hello'), {
      type: 'turn-error',
      error: new TurnError('upstream_failed', 'x', { layer: 'upstream' }),
    });
    expect(await readAll(scene.run.texts)).toContain('response.failed');
    await scene.run.over;
    expect(await stateOf()).toEqual(['over', 'failed']);
  });

  it('that is cut has failed', async () => {
    const scene = await begin();
    scene.send(start, open, delta('Hello'));
    scene.finish();
    await scene.run.over;
    expect(await stateOf()).toEqual(['over', 'failed']);
  });

  it.each(['conclude', 'remove'] as const)('ends when somebody else ends it: %s', async (how) => {
    const scene = await begin({ background: true });
    scene.send(start, open, delta('Hello'));
    if (how === 'remove') await store.remove(id, tenant);
    else await store.conclude(id, tenant, { response: '{"status":"cancelled"}', before: '', after: '' }, false);
    expect(await readAll(scene.run.texts)).toContain('"status":"cancelled"');
    await scene.run.over;
    expect([scene.aborted()?.code, scene.errors, scene.isClosed()]).toEqual(['cancelled', [], true]);
    expect(await stateOf()).toEqual(how === 'remove' ? undefined : ['over', 'cancelled']);
  });

  it.each([false, true])(
    'that the store has lost goes on for its reader alone (background: %s)',
    async (background) => {
      const scene = await begin({ background });
      const text = readAll(scene.run.texts);
      store.append = store.finish = () => Promise.resolve('lost');
      scene.send(start, open, delta('Hello'));
      await scene.lost;
      scene.send(delta(' there'), ...end);
      const events = (await text).split('\n\n');
      const last = events.find((event) => event.startsWith('event: response.completed'));
      expect(last).toContain('"store":false');
      expect(last).toContain('Hello there');
      expect([scene.losses, scene.aborted()]).toEqual([['lost'], undefined]);
    },
  );

  it('that the store has lost ends when nobody reads along', async () => {
    const scene = await begin({ background: true });
    await scene.run.texts[Symbol.asyncIterator]().return?.();
    store.append = store.finish = () => Promise.resolve('lost');
    scene.send(start, open, delta('Hello'));
    await scene.run.over;
    expect([scene.losses, scene.aborted()?.code]).toEqual([['lost'], 'cancelled']);
  });

  it('that outgrows what is kept goes on for its reader alone', async () => {
    const scene = await begin({ maxSize: 4_000 });
    const text = readAll(scene.run.texts);
    scene.send(start, open, delta('x'.repeat(5_000)));
    scene.send(delta('y'), ...end);
    const events = (await text).split('\n\n');
    expect(events.find((event) => event.startsWith('event: response.completed'))).toContain('"store":false');
    expect([scene.losses, scene.aborted(), await stateOf()]).toEqual([['too-large'], undefined, undefined]);
  });

  it.each([
    [false, undefined],
    [true, ['over', 'failed']],
  ])('that outgrows what is kept by its last event says so in it (background: %s)', async (background, state) => {
    const scene = await begin({ background, maxSize: 8_000 });
    const text = readAll(scene.run.texts);
    scene.send(start, open, delta('x'.repeat(1_500)), ...end);
    const events = (await text).split('\n\n').slice(0, -1);
    const numbers = events.flatMap((event) => /"sequence_number":(\d+)/.exec(event)?.[1] ?? []).map(Number);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(events.at(-2)).toContain('event: response.completed');
    expect(events.at(-2)).toContain('"store":false');
    await scene.run.over;
    expect([scene.losses, await stateOf()]).toEqual([['too-large'], state]);
  });

  it('that outgrows what is kept goes on no faster than its reader', async () => {
    const scene = await begin({ maxSize: 4_000 });
    const reader = scene.run.texts[Symbol.asyncIterator]();
    scene.send(start, open);
    for (let chunk = 0; chunk < 50; chunk++) scene.send(delta('x'.repeat(1_000)));
    scene.send(...end);
    await scene.lost;
    const lengths: number[] = [];
    for (let next = await reader.next(); !next.done; next = await reader.next()) lengths.push(next.value.length);
    // What came before it was lost, one at a time, and the whole response at the end.
    expect(lengths.length).toBeGreaterThan(40);
    expect(Math.max(...lengths.slice(0, -1))).toBeLessThan(12_000);
  });

  it('that outgrows what is kept ends with its reader', async () => {
    const scene = await begin({ maxSize: 4_000 });
    const reader = scene.run.texts[Symbol.asyncIterator]();
    await reader.next();
    scene.send(start, open, delta('x'.repeat(5_000)));
    await reader.next();
    await reader.return?.();
    await scene.run.over;
    expect(scene.aborted()?.code).toBe('cancelled');
  });

  it('that outgrows what is kept in the background has failed', async () => {
    const scene = await begin({ background: true, maxSize: 4_000 });
    scene.send(start, open, delta('x'.repeat(5_000)));
    await scene.run.over;
    expect([scene.losses, await stateOf()]).toEqual([['too-large'], ['over', 'failed']]);
  });
});
