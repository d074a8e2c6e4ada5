import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import { builtInModels, type UpstreamModel } from '@zai2api/dialects';
import { createLogger } from '@zai2api/runtime';
import { TurnError, type ErrorCode, type TurnErrorDetails, type TurnEvent } from '@zai2api/turn';
import { Registry } from 'prom-client';
import { createTranslatorMetrics, type TranslatorMetrics } from '../metrics.ts';
import { createModelCatalog } from '../models/model-catalog.ts';
import type { UpstreamDriver } from '../upstream-driver.ts';
import { createCredentialGuard } from '../upstreams/credential-guard.ts';
import { createUpstreamBreaker } from '../upstreams/upstream-breaker.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { leaseOutcomeOf } from './lease-outcome.ts';
import { openElsewhere } from './open-elsewhere.ts';
import type { PreparedTurn, TurnRoute } from './prepare-turn.ts';

const noLimit = { ms: 0, variable: '' };
const timeouts = { idle: noLimit, firstToken: noLimit, total: noLimit };
const [template] = builtInModels;
const model = (id: string): UpstreamModel => ({ ...template!, id, upstreamId: id });
const routes = (...places: string[]): [TurnRoute, ...TurnRoute[]] =>
  places.map((place): TurnRoute => {
    const [upstream = '', id = ''] = place.split(' ');
    return { upstream, model: model(id), thinking: false, timeouts };
  }) as [TurnRoute, ...TurnRoute[]];

const turn: Omit<PreparedTurn, 'routes' | 'model' | 'thinking' | 'timeouts'> = {
  request: {
    model: 'asked',
    messages: [{ role: 'user', text: 'hi', attachments: [] }],
    reasoning: { visible: true },
    tools: [],
    toolChoice: { mode: 'auto' },
    parallelToolCalls: true,
    responseFormat: { type: 'text' },
    sampling: { stop: [] },
  },
  media: [],
  warnings: [],
  search: false,
};

const failure = (code: ErrorCode, details: Partial<TurnErrorDetails> = {}): TurnError =>
  new TurnError(code, `${code}.`, { layer: 'upstream', ...details });
const answer: TurnEvent[] = [
  { type: 'turn-start', id: 't', model: 'asked', createdAt: 0, warnings: [] },
  { type: 'text-start', block: 0 },
  { type: 'text-delta', block: 0, text: 'hello' },
];

/** What one place does with each of its tries in turn; the last one goes on. */
type Acts = Readonly<Record<string, readonly (TurnError | 'answers' | 'hangs')[]>>;

describe('openElsewhere', () => {
  let asked: string[];
  let stores: CredentialStore[];
  let metrics: TranslatorMetrics;
  beforeEach(() => {
    [asked, stores] = [[], []];
    metrics = createTranslatorMetrics(new Registry());
  });
  afterEach(() => Promise.all(stores.map((store) => store.close())));

  async function upstreamOf(name: string, acts: Acts, driver: Partial<UpstreamDriver> = {}): Promise<Upstream> {
    const credentials = createMemoryCredentialStore({ now: () => Date.now() });
    stores.push(credentials);
    const identity = { id: `${name}-1`, token: 'token', userId: 'u', userName: '' };
    await credentials.put({ ...identity, kind: 'user', createdAtMs: 0, expiresAtMs: Infinity, concurrency: 9 });
    return {
      name,
      credentials,
      driver: {
        name,
        async *run({ model: { upstreamId } }, _credential, signal) {
          const place = `${name} ${upstreamId}`;
          const tries = acts[place] ?? ['answers'];
          const act = tries[Math.min(asked.filter((each) => each === place).length, tries.length - 1)];
          asked.push(place);
          if (act === 'hangs') {
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
            throw TurnError.from(signal.reason);
          }
          if (TurnError.is(act)) throw act;
          yield answer;
        },
        listModels: () => Promise.resolve([]),
        refresh: () => Promise.resolve(),
        stop: () => Promise.resolve(),
        ...driver,
      },
      catalog: createModelCatalog({
        read: () => Promise.resolve([]),
        maxAgeMs: 0,
        now: () => 0,
        onFailure: () => undefined,
      }),
      breaker: createUpstreamBreaker({ threshold: 2, firstWaitMs: 60_000, longestWaitMs: 60_000 }),
      guard: createCredentialGuard(),
      outcomeOf: leaseOutcomeOf,
      observe: () => undefined,
    };
  }

  interface Asked {
    readonly places: readonly string[];
    readonly acts?: Acts;
    readonly upstreams?: readonly Upstream[];
    readonly signal?: AbortSignal;
    readonly retryBudgetMs?: number;
    readonly totalMs?: number;
  }

  async function open({ places, acts = {}, upstreams, signal, retryBudgetMs = 60_000, totalMs = 0 }: Asked) {
    const [first, ...others] = routes(...places);
    const timed = { ...first, timeouts: { ...timeouts, total: { ms: totalMs, variable: 'ZAI_TOTAL_TIMEOUT' } } };
    return openElsewhere({ ...turn, ...timed, routes: [timed, ...others] }, signal ?? new AbortController().signal, {
      upstreams: upstreams ?? [await upstreamOf('a', acts), await upstreamOf('b', acts)],
      credentialWaitMs: 0,
      leaseMs: 60_000,
      retryBudgetMs,
      logger: createLogger({ name: 'test', level: 'silent', format: 'json' }),
      metrics,
    });
  }

  const tryOpen = (options: Asked): Promise<unknown> =>
    open(options).then(
      ({ driver }) => driver.name,
      (reason: unknown) => reason,
    );

  it.each<[string, Acts, string[], string]>([
    ['the first place that answers', {}, ['a x'], 'a'],
    ['the other upstream', { 'a x': [failure('upstream_challenged')] }, ['a x', 'b x'], 'b'],
    [
      'another model, here first',
      { 'a x': [failure('upstream_busy', { reason: 'model_busy' })], 'b x': [failure('model_not_found')] },
      ['a x', 'b x', 'a y'],
      'a',
    ],
    [
      'no other model of an upstream that is away',
      { 'a x': [failure('upstream_unreachable')], 'b x': [failure('upstream_forbidden')] },
      ['a x', 'b x', 'b y'],
      'b',
    ],
    [
      'a second try before another place',
      { 'a x': [failure('upstream_failed', { recovery: 'repeat' }), 'answers'] },
      ['a x', 'a x'],
      'a',
    ],
    [
      'a second try at every place',
      {
        'a x': [failure('upstream_failed', { recovery: 'repeat' })],
        'b x': [failure('upstream_failed', { recovery: 'repeat' }), 'answers'],
      },
      ['a x', 'a x', 'b x', 'b x'],
      'b',
    ],
  ])('takes %s', async (_what, acts, expected, driver) => {
    expect(await tryOpen({ places: ['a x', 'b x', 'a y', 'b y'], acts })).toBe(driver);
    expect(asked).toEqual(expected);
  });

  it.each<[string, boolean, Acts]>([
    ['the first choice', false, {}],
    [
      'the first choice at its second try',
      false,
      { 'a x': [failure('upstream_failed', { recovery: 'repeat' }), 'answers'] },
    ],
    ['another upstream', true, { 'a x': [failure('upstream_challenged')] }],
    ['another model', true, { 'a x': [failure('upstream_forbidden')], 'b x': [failure('upstream_forbidden')] }],
  ])('says whether a place stands in: %s', async (_what, isFallback, acts) => {
    expect(await open({ places: ['a x', 'b x', 'a y'], acts })).toMatchObject({ isFallback });
  });

  it.each<ErrorCode>(['content_refused', 'invalid_request', 'internal'])('asks nobody else after %s', async (code) => {
    const error = failure(code);
    expect(await tryOpen({ places: ['a x', 'b x'], acts: { 'a x': [error] } })).toBe(error);
    expect(asked).toEqual(['a x']);
  });

  it('tells the most hopeful failure and names the others', async () => {
    const acts = {
      'a x': [failure('upstream_busy', { reason: 'insufficient_quota', retryAfterSeconds: 3600 })],
      'b x': [failure('upstream_challenged', { retryAfterSeconds: 60 })],
    };
    expect(await tryOpen({ places: ['a x', 'b x'], acts })).toMatchObject({
      code: 'upstream_busy',
      message: 'upstream_busy. Other upstreams failed, too (b: upstream_challenged).',
      details: { reason: 'insufficient_quota', retryAfterSeconds: 3600 },
    });
  });

  it('asks an upstream that cannot take the turn nothing', async () => {
    const refusal = failure('unsupported', { param: 'tools' });
    const choosy = await upstreamOf('a', {}, { refuses: () => refusal });
    expect(await tryOpen({ places: ['a x', 'b x'], upstreams: [choosy, await upstreamOf('b', {})] })).toBe('b');
    expect(asked).toEqual(['b x']);
    // It would be so each time: the other one is the first choice of such turns.
    const answered = await open({ places: ['a x', 'b x'], upstreams: [choosy, await upstreamOf('b', {})] });
    expect(answered.isFallback).toBe(false);
    expect(await tryOpen({ places: ['a x'], upstreams: [choosy] })).toBe(refusal);
  });

  it('passes over an upstream whose breaker is open', async () => {
    const upstreams = [await upstreamOf('a', { 'a x': [failure('upstream_failed')] }), await upstreamOf('b', {})];
    for (let count = 0; count < 3; count += 1) expect(await tryOpen({ places: ['a x', 'b x'], upstreams })).toBe('b');
    expect(asked).toEqual(['a x', 'b x', 'a x', 'b x', 'b x']);
    expect((await metrics.fallbacks.get()).values).toMatchObject([
      { labels: { from: 'a', to: 'b', outcome: 'upstream_failed' }, value: 3 },
    ]);
  });

  it('makes six tries at most, wherever', async () => {
    const places = Array.from({ length: 9 }, (_, index) => `a m${index}`);
    const acts = Object.fromEntries(places.map((place) => [place, [failure('upstream_forbidden')]]));
    const upstreams = [
      {
        ...(await upstreamOf('a', acts)),
        breaker: createUpstreamBreaker({ threshold: 99, firstWaitMs: 1, longestWaitMs: 1 }),
      },
    ];
    expect(await tryOpen({ places, upstreams })).toMatchObject({ code: 'upstream_forbidden' });
    expect(asked).toHaveLength(6);
  });

  it('tries nothing more when the time is over', async () => {
    const acts = { 'a x': [failure('upstream_challenged')] };
    expect(await tryOpen({ places: ['a x', 'b x'], acts, retryBudgetMs: 0 })).toMatchObject({
      code: 'upstream_challenged',
    });
    expect(asked).toEqual(['a x']);
  });

  it('has one time for all tries', async () => {
    const error = await tryOpen({ places: ['a x', 'b x'], acts: { 'a x': ['hangs'] }, totalMs: 30 });
    expect(error).toMatchObject({ code: 'upstream_timeout', message: expect.stringContaining('ZAI_TOTAL_TIMEOUT') });
    expect(asked).toEqual(['a x']);
  });

  it('ends with its client, and asks nobody else', async () => {
    const controller = new AbortController();
    const opening = tryOpen({ places: ['a x', 'b x'], acts: { 'a x': ['hangs'] }, signal: controller.signal });
    while (asked.length === 0) await new Promise(setImmediate);
    controller.abort();
    expect(await opening).toMatchObject({ code: 'cancelled' });
    expect(asked).toEqual(['a x']);
  });
});
