import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type CredentialStore, type PoolCounts } from '@zai2api/credentials';
import { builtInModels } from '@zai2api/dialects';
import { createLogger } from '@zai2api/runtime';
import { TurnError, type ErrorCode, type Recovery, type TurnEvent } from '@zai2api/turn';
import { Registry } from 'prom-client';
import { createTranslatorMetrics, type TranslatorMetrics } from '../metrics.ts';
import type { TryOutcome } from '../status/judge-tries.ts';
import type { DriverTurn, UpstreamDriver } from '../upstream-driver.ts';
import { openTurn, type OpenTurn } from './open-turn.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const content: TurnEvent[] = [
  { type: 'text-start', block: 0 },
  { type: 'text-delta', block: 0, text: 'a' },
];
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent[] = [
  { type: 'text-end', block: 0 },
  { type: 'turn-end', reason: 'stop', usage },
];
const limit = (ms: number): { ms: number; variable: string } => ({ ms, variable: 'X' });
const turn: DriverTurn = {
  request: {
    model: 'm',
    messages: [],
    reasoning: { visible: true },
    tools: [],
    toolChoice: { mode: 'auto' },
    parallelToolCalls: true,
    responseFormat: { type: 'text' },
    sampling: { stop: [] },
  },
  media: [],
  warnings: [],
  model: builtInModels[0]!,
  thinking: false,
  search: false,
  timeouts: { idle: limit(0), firstToken: limit(0), total: limit(0) },
};

const fault = (code: ErrorCode, recovery?: Recovery, reason?: string): TurnError =>
  new TurnError(code, code, {
    layer: 'upstream',
    ...(recovery !== undefined && { recovery }),
    ...(reason !== undefined && { reason }),
  });
const unauthorized = (): TurnError => fault('upstream_failed', 'other-credential', 'upstream_unauthorized');
const concurrency = (): TurnError => fault('upstream_busy', 'other-credential', 'upstream_concurrency');
const stale = (): TurnError => fault('upstream_drifted', 'refresh-session');
const passing = (): TurnError => fault('upstream_failed', 'repeat');

/** What the driver does in one try; the last one of a list is done for all further tries. */
type Try = (signal: AbortSignal) => AsyncIterable<TurnEvent[]>;

async function* answer(): AsyncGenerator<TurnEvent[]> {
  yield [start];
  yield content;
  yield end;
}
const failing = (error: () => TurnError): Try =>
  async function* () {
    yield [start];
    throw error();
  };
const ending = (error: () => TurnError): Try =>
  async function* () {
    yield [{ type: 'turn-error', error: error() }];
  };
/** Says nothing until its signal aborts, as a driver does. */
const silent: Try = async function* (signal) {
  if (!signal.aborted) await once(signal, 'abort');
  yield* [];
  throw TurnError.from(signal.reason);
};

describe('openTurn', () => {
  let store: CredentialStore;
  let metrics: TranslatorMetrics;
  let observed: TryOutcome[];
  let used: string[];
  let left: number;
  let refreshes: number;
  /** Resolves with the signal of the next try that begins. */
  let begun: PromiseWithResolvers<AbortSignal>;

  beforeEach(() => {
    store = createMemoryCredentialStore({ now: () => Date.now() });
    metrics = createTranslatorMetrics(new Registry());
    [observed, used, left, refreshes] = [[], [], 0, 0];
    begun = Promise.withResolvers();
  });
  afterEach(() => store.close());

  async function putCredentials(count: number): Promise<void> {
    for (let index = 1; index <= count; index += 1) {
      const identity = { id: `c-${index}`, token: `token-${index}`, userId: `u-${index}`, userName: '' };
      await store.put({ ...identity, kind: 'user', createdAtMs: 0, expiresAtMs: Infinity, concurrency: 1 });
    }
  }

  interface Changes {
    readonly signal?: AbortSignal;
    readonly credentialWaitMs?: number;
    readonly retryBudgetMs?: number;
    readonly totalMs?: number;
    readonly leaseMs?: number;
    readonly media?: DriverTurn['media'];
    readonly credentials?: CredentialStore;
    readonly refresh?: (signal: AbortSignal) => Promise<void>;
  }

  function open(tries: readonly Try[], changes: Changes = {}): Promise<OpenTurn> {
    const {
      signal = new AbortController().signal,
      credentialWaitMs = 0,
      retryBudgetMs = 60_000,
      totalMs = 0,
    } = changes;
    const driver: UpstreamDriver = {
      name: 'fake',
      async *run(_turn, credential, trySignal) {
        const act = tries[Math.min(used.length, tries.length - 1)];
        used.push(credential.id);
        begun.resolve(trySignal);
        try {
          yield* act!(trySignal);
        } finally {
          left += 1;
        }
      },
      listModels: () => Promise.resolve([]),
      refresh(refreshSignal) {
        refreshes += 1;
        return changes.refresh?.(refreshSignal) ?? Promise.resolve();
      },
      stop: () => Promise.resolve(),
    };
    const timed = { ...turn, media: changes.media ?? [], timeouts: { ...turn.timeouts, total: limit(totalMs) } };
    const observe = (outcome: TryOutcome): number => observed.push(outcome);
    const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
    return openTurn(timed, signal, {
      driver,
      credentials: changes.credentials ?? store,
      credentialWaitMs,
      leaseMs: changes.leaseMs ?? 60_000,
      retryBudgetMs,
      observe,
      logger,
      metrics,
    });
  }

  async function collect(opened: OpenTurn): Promise<TurnEvent[]> {
    const events: TurnEvent[] = [];
    for await (const batch of opened.batches) events.push(...batch);
    return events;
  }

  const users = async (): Promise<PoolCounts['user']> => (await store.counts()).user;

  it('gives all batches, the held ones too, and holds the credential until it is released', async () => {
    await putCredentials(1);
    const opened = await open([answer]);
    expect(await collect(opened)).toEqual([start, ...content, ...end]);
    expect(await users()).toMatchObject({ leased: 1 });
    opened.release();
    opened.release();
    expect(await users()).toMatchObject({ ready: 1 });
    expect([left, observed]).toEqual([1, [{ result: 'good' }]]);
  });

  describe('a failure before content', () => {
    it.each<[string, () => TurnError, string[], number, Partial<PoolCounts['user']>]>([
      [
        'of a refused token: another one, and the first is never used again',
        unauthorized,
        ['c-1', 'c-2'],
        0,
        { total: 1 },
      ],
      [
        'of a busy identity: another one, and the first rests',
        concurrency,
        ['c-1', 'c-2'],
        0,
        { total: 2, coolingDown: 1 },
      ],
      ['of a stale session: a fresh one', stale, ['c-1', 'c-2'], 1, { total: 2, coolingDown: 0 }],
      ['that passes: once more', passing, ['c-1', 'c-2'], 0, { total: 2, coolingDown: 0 }],
    ])('%s', async (_name, error, credentials, expectedRefreshes, counts) => {
      for (const act of [failing(error), ending(error)]) {
        [store, used, left, refreshes, observed] = [
          createMemoryCredentialStore({ now: () => Date.now() }),
          [],
          0,
          0,
          [],
        ];
        await putCredentials(2);
        const opened = await open([act, answer]);
        expect((await collect(opened)).at(-1)).toEqual(end.at(-1));
        opened.release();
        expect([used, refreshes, left]).toEqual([credentials, expectedRefreshes, 2]);
        expect(await users()).toMatchObject(counts);
        expect(observed.map(({ result }) => result)).toEqual(['failed', 'good']);
      }
    });

    it.each<ErrorCode>([
      'upstream_challenged',
      'upstream_blocked',
      'upstream_forbidden',
      'upstream_timeout',
      'upstream_unreachable',
      'content_refused',
      'invalid_request',
    ])('%s is not tried again', async (code) => {
      await putCredentials(2);
      await expect(open([ending(() => fault(code)), answer])).rejects.toMatchObject({ code });
      expect(used).toEqual(['c-1']);
      expect((await users()).challenged).toBe(code === 'upstream_challenged' ? 1 : 0);
      expect((await users()).leased).toBe(0);
    });

    it.each<[string, () => TurnError]>([
      ['a stale session', stale],
      ['a passing fault', passing],
    ])('%s is tried again once', async (_name, error) => {
      await putCredentials(1);
      await expect(open([failing(error)])).rejects.toMatchObject({ code: error().code });
      expect(used).toHaveLength(2);
      expect((await users()).ready).toBe(1);
    });

    it('is not tried again when the time for that is over', async () => {
      await putCredentials(3);
      await expect(open([failing(unauthorized), answer], { retryBudgetMs: 0 })).rejects.toMatchObject({
        details: { reason: 'upstream_unauthorized' },
      });
      expect(used).toEqual(['c-1']);
    });

    it('of all identities ends in their error, not in the lack of a further one', async () => {
      await putCredentials(2);
      await expect(open([failing(unauthorized)])).rejects.toMatchObject({
        details: { reason: 'upstream_unauthorized' },
      });
      expect(used).toEqual(['c-1', 'c-2']);
      expect((await users()).total).toBe(0);
    });

    it('of a driver that says nothing at all is ours', async () => {
      await putCredentials(1);
      await expect(
        open([
          () =>
            (async function* () {
              yield* [];
            })(),
        ]),
      ).rejects.toMatchObject({ code: 'internal' });
      expect((await users()).ready).toBe(1);
    });
  });

  describe('a failure behind content', () => {
    it('belongs to the answer, and to the credential', async () => {
      await putCredentials(2);
      const error = concurrency();
      const opened = await open([
        async function* () {
          yield [start, ...content];
          yield [{ type: 'turn-error', error }];
        },
      ]);
      expect((await collect(opened)).at(-1)).toEqual({ type: 'turn-error', error });
      opened.release(error);
      expect(used).toEqual(['c-1']);
      expect(await users()).toMatchObject({ coolingDown: 1, leased: 0 });
      expect(observed).toEqual([{ result: 'good' }, { result: 'failed', error }]);
    });

    it('in the same batch does too', async () => {
      await putCredentials(2);
      const error = passing();
      const opened = await open([
        async function* () {
          yield [start, ...content, { type: 'turn-error', error }];
        },
      ]);
      expect((await collect(opened)).at(-1)).toEqual({ type: 'turn-error', error });
      expect([used, observed.length]).toEqual([['c-1'], 2]);
      opened.release(error);
    });
  });

  describe('a lease that has become somebody else’s', () => {
    const thief = (real: CredentialStore): CredentialStore => ({ ...real, renew: () => Promise.resolve(false) });
    const leaseMs = 30;

    it('before content ends the call, and the turn goes on with another one', async () => {
      await putCredentials(1);
      const opened = await open([silent, answer], { credentials: thief(store), leaseMs, credentialWaitMs: 1_000 });
      expect(await collect(opened)).toEqual([start, ...content, ...end]);
      expect([used.length, left]).toEqual([2, 2]);
    });

    it('behind content ends the call and the answer, with an error', async () => {
      await putCredentials(1);
      const cut: Try = async function* (signal) {
        yield [start, ...content];
        if (!signal.aborted) await once(signal, 'abort');
        yield [{ type: 'turn-error', error: TurnError.from(signal.reason) }];
      };
      const opened = await open([cut], { credentials: thief(store), leaseMs });
      const last = (await collect(opened)).at(-1);
      expect(last).toMatchObject({
        type: 'turn-error',
        error: { code: 'no_capacity', details: { reason: 'lease_lost', layer: 'pool' } },
      });
    });
  });

  describe('a turn with files', () => {
    const media: DriverTurn['media'] = [
      { kind: 'image', bytes: new Uint8Array(1), mediaType: 'image/png', filename: 'a.png', param: 'messages[0]' },
    ];
    const putGuest = (): Promise<void> =>
      store.put({
        id: 'guest',
        kind: 'guest',
        token: 't',
        userId: 'g',
        userName: '',
        createdAtMs: 0,
        expiresAtMs: Infinity,
        concurrency: 1,
      });

    it('waits for a user while a guest is free', async () => {
      await putCredentials(1);
      await putGuest();
      const held = await store.lease({ signal: new AbortController().signal, waitMs: 0, leaseMs: 60_000 });
      const opening = open([answer], { media, credentialWaitMs: 5_000 });
      while ((await store.counts()).waiting === 0) await new Promise((resolve) => setImmediate(resolve));
      await held.release({ result: 'good' });
      await opening;
      expect(used).toEqual(['c-1']);
    });

    it('takes a guest where there is no user', async () => {
      await putGuest();
      await open([answer], { media });
      expect(used).toEqual(['guest']);
    });
  });

  it('says that there is no capacity when there is no first credential', async () => {
    await expect(open([answer])).rejects.toMatchObject({ code: 'no_capacity' });
    expect(used).toEqual([]);
  });

  it('ends the upstream call when the batches are left', async () => {
    await putCredentials(1);
    const opened = await open([answer]);
    for await (const batch of opened.batches) if (batch.length > 0) break;
    expect(left).toBe(1);
    opened.release();
  });

  it('ends a turn that takes too long, and says by which limit', async () => {
    await putCredentials(1);
    await expect(open([silent], { totalMs: 20 })).rejects.toMatchObject({
      code: 'upstream_timeout',
      message: expect.stringContaining('total timeout') as unknown,
    });
    expect([left, (await users()).ready]).toEqual([1, 1]);
  });

  it('counts tries and retries', async () => {
    await putCredentials(2);
    (await open([failing(unauthorized), answer])).release();
    const values = async (name: 'retries' | 'upstreamRequests'): Promise<unknown[]> =>
      (await metrics[name].get()).values.map(({ labels, value }) => ({ ...labels, value }));
    expect(await values('retries')).toEqual([{ driver: 'fake', recovery: 'other-credential', value: 1 }]);
    expect(await values('upstreamRequests')).toEqual([
      { driver: 'fake', outcome: 'upstream_unauthorized', value: 1 },
      { driver: 'fake', outcome: 'begun', value: 1 },
    ]);
  });

  describe('a client that leaves', () => {
    let client: AbortController;
    const leave = (): void => client.abort(new DOMException('gone', 'AbortError'));
    const cancelled = { code: 'cancelled' };
    beforeEach(() => {
      client = new AbortController();
    });

    it('before anything began gets no credential', async () => {
      await putCredentials(1);
      leave();
      await expect(open([answer], { signal: client.signal })).rejects.toMatchObject(cancelled);
      expect([used, (await users()).ready]).toEqual([[], 1]);
    });

    it('while it waits for a credential leaves the line', async () => {
      const opening = open([answer], { signal: client.signal, credentialWaitMs: 60_000 });
      await new Promise(setImmediate);
      expect((await store.counts()).waiting).toBe(1);
      leave();
      await expect(opening).rejects.toMatchObject(cancelled);
      expect((await store.counts()).waiting).toBe(0);
    });

    it('while it waits for content gives the credential back, unharmed, and ends the call', async () => {
      await putCredentials(1);
      const opening = open([silent], { signal: client.signal });
      await begun.promise;
      leave();
      await expect(opening).rejects.toMatchObject(cancelled);
      expect([left, (await users()).ready, used]).toEqual([1, 1, ['c-1']]);
    });

    it('while the session is refreshed is not tried for again', async () => {
      await putCredentials(2);
      const opening = open([failing(stale), answer], {
        signal: client.signal,
        refresh: () => {
          leave();
          return Promise.resolve();
        },
      });
      await expect(opening).rejects.toMatchObject(cancelled);
      expect([used, (await users()).ready]).toEqual([['c-1'], 2]);
    });

    it('while a repetition is waited for does not wait on', async () => {
      await putCredentials(1);
      const opening = open([failing(passing), answer], { signal: client.signal });
      await begun.promise;
      await new Promise(setImmediate);
      leave();
      await expect(opening).rejects.toMatchObject(cancelled);
      expect([used, (await users()).ready]).toEqual([['c-1'], 1]);
    });

    it('within the answer ends the call', async () => {
      await putCredentials(1);
      const opened = await open(
        [
          async function* (signal) {
            yield [start, ...content];
            yield* silent(signal);
          },
        ],
        { signal: client.signal },
      );
      const collecting = collect(opened);
      leave();
      await expect(collecting).rejects.toMatchObject(cancelled);
      opened.release();
      expect([left, (await users()).ready]).toEqual([1, 1]);
    });
  });
});
