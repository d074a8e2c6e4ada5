import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TurnError, type FinishReason, type TurnEvent, type TurnWarning } from '@zai2api/turn';
import type { AnswerKeys } from './answer-key.ts';
import {
  createSharedAnswers,
  type Asker,
  type JoinedAnswer,
  type SharedAnswers,
  type SharedOutcome,
} from './shared-answers.ts';
import type { StartedAnswer } from './shared-run.ts';

const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const turnStart: TurnEvent = { type: 'turn-start', id: 'first', model: 'm', createdAt: 1, warnings: [] };
const warnings: TurnWarning[] = [{ code: 'ignored-parameter', field: 'top_p' }];
const text = (...pieces: string[]): TurnEvent[] => [
  { type: 'text-start', block: 0 },
  ...pieces.map((piece): TurnEvent => ({ type: 'text-delta', block: 0, text: piece })),
];
const end = (reason: FinishReason = 'stop'): TurnEvent[] => [
  { type: 'text-end', block: 0 },
  { type: 'turn-end', reason, usage },
];

/** An upstream whose answer the test writes. */
interface Source {
  readonly start: (signal: AbortSignal) => Promise<StartedAnswer>;
  isFallback: boolean;
  starts: number;
  readonly signals: AbortSignal[];
  released: number;
  write(...events: TurnEvent[]): void;
  finish(): void;
  fail(error: TurnError): void;
}

function createSource(opens: Promise<undefined> = Promise.resolve(undefined)): Source {
  const queue: (TurnEvent[] | 'end' | TurnError)[] = [];
  let news = Promise.withResolvers<undefined>();
  const put = (item: TurnEvent[] | 'end' | TurnError): void => {
    queue.push(item);
    news.resolve(undefined);
    news = Promise.withResolvers();
  };
  async function* read(signal: AbortSignal): AsyncGenerator<TurnEvent[]> {
    for (;;) {
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      const item = queue.shift();
      if (signal.aborted) throw TurnError.from(signal.reason);
      if (item === undefined) await Promise.race([news.promise, aborted]);
      else if (item === 'end') return;
      else if (TurnError.is(item)) throw item;
      else yield item;
    }
  }
  const source: Source = {
    isFallback: false,
    starts: 0,
    signals: [],
    released: 0,
    async start(signal) {
      source.starts += 1;
      source.signals.push(signal);
      await opens;
      return {
        upstream: 'web',
        warnings,
        isFallback: source.isFallback,
        batches: read(signal),
        release: () => void (source.released += 1),
      };
    },
    write: (...events) => put(events),
    finish: () => put('end'),
    fail: (error) => put(error),
  };
  return source;
}

const keys = (question: string): AnswerKeys => ({ answer: question, run: `${question} within a minute` });
const never: Asker = { signal: new AbortController().signal, warnings: [] };

async function collect({ batches }: JoinedAnswer): Promise<TurnEvent[]> {
  const events: TurnEvent[] = [];
  for await (const batch of batches) events.push(...batch);
  return events;
}

const textOf = (events: readonly TurnEvent[]): string =>
  events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');

describe('shared answers', () => {
  let answers: SharedAnswers;
  let outcomes: SharedOutcome[];
  let ids: number;
  beforeEach(() => {
    [outcomes, ids] = [[], 0];
    answers = createSharedAnswers({
      ttlMs: 60_000,
      maxAnswers: 2,
      now: () => 99,
      newId: () => `id-${(ids += 1)}`,
      onJoin: (outcome) => outcomes.push(outcome),
    });
  });

  async function answerWhole(key: string, words: string, reason?: FinishReason): Promise<Source> {
    const source = createSource();
    source.write(turnStart, ...text(words));
    source.write(...end(reason));
    source.finish();
    await collect(await answers.join(keys(key), never, source.start));
    return source;
  }

  it('are asked for once and given again, with an id and a time of their own', async () => {
    await answerWhole('k', 'hello');
    const again = createSource();
    const joined = await answers.join(keys('k'), never, again.start);
    expect(joined).toMatchObject({ outcome: 'hit', upstream: 'web', warnings });
    expect(await collect(joined)).toEqual([
      { ...turnStart, id: 'id-1', createdAt: 99, warnings },
      ...text('hello'),
      ...end(),
    ]);
    expect([again.starts, outcomes]).toEqual([0, ['miss', 'hit']]);
  });

  it.each<[string, FinishReason]>([
    ['tool calls', 'tool-calls'],
    ['refused content', 'content-filter'],
  ])('with %s are not kept', async (_what, reason) => {
    await answerWhole('k', 'x', reason);
    expect((await answerWhole('k', 'x')).starts).toBe(1);
  });

  it('that were cut by a limit are kept as they are', async () => {
    await answerWhole('k', 'x', 'length');
    expect((await answerWhole('k', 'x')).starts).toBe(0);
  });

  it('of a place that stood in for another are given to those who wait, and not kept', async () => {
    const source = createSource();
    source.isFallback = true;
    const joined = await Promise.all([0, 1].map(() => answers.join(keys('k'), never, source.start)));
    source.write(turnStart, ...text('from elsewhere'), ...end());
    source.finish();
    const collected = await Promise.all(joined.map(collect));
    expect(collected.map(textOf)).toEqual(['from elsewhere', 'from elsewhere']);
    expect((await answerWhole('k', 'x')).starts).toBe(1);
  });

  it('under other limits have a run of their own, and are kept for all', async () => {
    const sources = [createSource(), createSource()];
    const [first, second] = await Promise.all(
      sources.map(({ start }, index) => answers.join({ answer: 'k', run: `k${index}` }, never, start)),
    );
    sources[0]!.fail(new TurnError('upstream_timeout', 'Silent.', { layer: 'upstream' }));
    await expect(collect(first!)).rejects.toMatchObject({ code: 'upstream_timeout' });
    sources[1]!.write(turnStart, ...text('patient'), ...end());
    sources[1]!.finish();
    expect(textOf(await collect(second!))).toBe('patient');
    const third = await answers.join({ answer: 'k', run: 'k0' }, never, createSource().start);
    expect([textOf(await collect(third)), outcomes]).toEqual(['patient', ['miss', 'miss', 'hit']]);
  });

  it('name to each asker what that one asked for in vain', async () => {
    const source = createSource();
    const seed: TurnWarning = { code: 'ignored-parameter', field: 'seed' };
    const joined = await Promise.all(
      [[seed], [], [seed, ...warnings]].map((asked) =>
        answers.join(keys('k'), { ...never, warnings: asked }, source.start),
      ),
    );
    source.write(turnStart);
    source.write(...text('x'), ...end());
    source.finish();
    const expected = [[seed, ...warnings], warnings, [seed, ...warnings]];
    expect(joined.map((each) => each.warnings)).toEqual(expected);
    const collected = await Promise.all(joined.map(collect));
    expect(collected.map(([start]) => start)).toMatchObject(expected.map((named) => ({ warnings: named })));
  });

  it('make room for newer ones, and end with their time', async () => {
    await answerWhole('a', 'x');
    await answerWhole('b', 'x');
    await answerWhole('c', 'x');
    expect((await answerWhole('a', 'x')).starts).toBe(1);
    const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 61_000);
    try {
      expect((await answerWhole('c', 'x')).starts).toBe(1);
    } finally {
      now.mockRestore();
    }
  });

  it('are given to all who ask meanwhile, from their beginning', async () => {
    const source = createSource();
    const first = await answers.join(keys('k'), never, source.start);
    source.write(turnStart, ...text('one '));
    const second = await answers.join(keys('k'), never, source.start);
    source.write({ type: 'text-delta', block: 0, text: 'two' });
    const third = await answers.join(keys('k'), never, source.start);
    const all = Promise.all([collect(first), collect(second), collect(third)]);
    source.write(...end());
    source.finish();
    const collected = await all;
    expect(collected.map(textOf)).toEqual(['one two', 'one two', 'one two']);
    expect(collected.map(([start]) => (start?.type === 'turn-start' ? start.id : ''))).toEqual([
      'first',
      'id-1',
      'id-2',
    ]);
    expect([source.starts, source.released, outcomes]).toEqual([1, 1, ['miss', 'shared', 'shared']]);
  });

  it('go on for the others when one leaves, whoever it was', async () => {
    for (const leaver of [0, 1]) {
      const source = createSource();
      const controllers = [new AbortController(), new AbortController()];
      const joined = await Promise.all(
        controllers.map(({ signal }) => answers.join(keys(`k${leaver}`), { ...never, signal }, source.start)),
      );
      source.write(turnStart, ...text('one'));
      const collecting = joined.map((each) => collect(each).catch((reason: unknown) => reason));
      await new Promise(setImmediate);
      controllers[leaver]?.abort();
      expect(await collecting[leaver]).toMatchObject({ code: 'cancelled' });
      expect(source.signals[0]?.aborted).toBe(false);
      source.write(...end());
      source.finish();
      expect(textOf((await collecting[1 - leaver]) as TurnEvent[])).toBe('one');
    }
  });

  it('end with the last one who leaves, and are begun anew for the next', async () => {
    const source = createSource();
    const controllers = [new AbortController(), new AbortController()];
    const joined = await Promise.all(
      controllers.map(({ signal }) => answers.join(keys('k'), { ...never, signal }, source.start)),
    );
    source.write(turnStart, ...text('one'));
    // One leaves by not reading on, the other by its connection.
    for await (const _batch of joined[0]!.batches) break;
    expect(source.signals[0]?.aborted).toBe(false);
    controllers[1]?.abort();
    expect(source.signals[0]?.aborted).toBe(true);
    const next = await answerWhole('k', 'anew');
    expect([next.starts, source.released]).toEqual([1, 1]);
  });

  it('that fail before they begin fail for all who wait, and are asked for again', async () => {
    const opens = Promise.withResolvers<undefined>();
    const source = createSource(opens.promise);
    const joining = [0, 1].map(() => answers.join(keys('k'), never, source.start).catch((reason: unknown) => reason));
    const busy = new TurnError('upstream_busy', 'Busy.', { layer: 'upstream' });
    opens.reject(busy);
    expect(await Promise.all(joining)).toEqual([busy, busy]);
    expect((await answerWhole('k', 'x')).starts).toBe(1);
  });

  it('that fail behind content fail for all, and are not kept', async () => {
    const source = createSource();
    const joined = await Promise.all([0, 1].map(() => answers.join(keys('k'), never, source.start)));
    const collecting = joined.map((each) => collect(each).catch((reason: unknown) => reason));
    source.write(turnStart, ...text('one'));
    const broken = new TurnError('upstream_failed', 'Broken.', { layer: 'upstream' });
    source.fail(broken);
    expect(await Promise.all(collecting)).toEqual([broken, broken]);
    expect((await answerWhole('k', 'x')).starts).toBe(1);
    const told = createSource();
    told.write(turnStart, ...text('one'), { type: 'turn-error', error: broken });
    told.finish();
    await collect(await answers.join(keys('other'), never, told.start));
    expect((await answerWhole('other', 'x')).starts).toBe(1);
  });

  it('let one go who leaves before they begin', async () => {
    const opens = Promise.withResolvers<undefined>();
    const source = createSource(opens.promise);
    const controller = new AbortController();
    const staying = answers.join(keys('k'), never, source.start);
    const leaving = answers.join(keys('k'), { ...never, signal: controller.signal }, source.start);
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'cancelled' });
    expect(source.signals[0]?.aborted).toBe(false);
    opens.resolve(undefined);
    source.write(turnStart, ...text('x'), ...end());
    source.finish();
    expect(textOf(await collect(await staying))).toBe('x');
    const gone = answers.join(keys('k'), { ...never, signal: AbortSignal.abort() }, source.start);
    await expect(gone).rejects.toMatchObject({ code: 'cancelled' });
  });
});
