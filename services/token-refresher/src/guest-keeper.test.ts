import { describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import type { WebIdentity } from '@zai2api/dialects';
import { createLogger, parseSettings } from '@zai2api/runtime';
import { TurnError, type ErrorCode } from '@zai2api/turn';
import { Registry } from 'prom-client';
import { tokenRefresherSettings } from './config.ts';
import { createGuestKeeper, type GuestKeeper } from './guest-keeper.ts';
import { createRefresherMetrics } from './metrics.ts';
import { createMemoryMintBudget } from './memory-mint-budget.ts';
import { createSupplyState, type SupplyState } from './supply-state.ts';
import { createMemoryTickStateStore } from './memory-tick-state-store.ts';

const never = new AbortController().signal;

interface Kit {
  readonly keeper: GuestKeeper;
  readonly store: CredentialStore;
  readonly supply: SupplyState;
  readonly registry: Registry;
  readonly lines: { level: string; msg: string; state?: string }[];
  readonly cleaned: string[];
  /** What each further call for an identity gives; by default a fresh guest. */
  answer: (call: number) => Promise<WebIdentity>;
  readonly calls: () => number;
  nowMs: number;
}

const guest = (userId: string): WebIdentity => ({
  userId,
  token: `token-${userId}`,
  role: 'guest',
  name: '',
  email: '',
});
const failure = (code: ErrorCode, retryAfterSeconds?: number): TurnError =>
  new TurnError(code, `it is ${code}`, {
    layer: 'upstream',
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });

function createKit(env: Record<string, string> = {}): Kit {
  const settings = parseSettings(tokenRefresherSettings, env);
  const lines: Kit['lines'] = [];
  const logger = createLogger(
    { name: 'test', level: 'info', format: 'json' },
    { write: (line: string) => void lines.push(JSON.parse(line) as Kit['lines'][number]) },
  );
  const now = (): number => kit.nowMs;
  const random = (): number => 0;
  const store = createMemoryCredentialStore({ now, startTimer: () => () => undefined });
  const registry = new Registry();
  const metrics = createRefresherMetrics({ registry, store });
  const stateStore = createMemoryTickStateStore();
  const budget = createMemoryMintBudget();
  const supply = createSupplyState({ store, stateStore, logger, now, random });
  const cleaned: string[] = [];
  const cleaner = { clean: ({ id }: { id: string }) => void cleaned.push(id), stop: () => Promise.resolve() };
  let calls = 0;
  const fetchIdentity = (): Promise<WebIdentity> => kit.answer(++calls);
  const keeper = createGuestKeeper({
    ...{ settings, store, budget, stateStore, fetchIdentity, cleaner, supply, metrics, logger, now, random },
  });
  const kit: Kit = {
    keeper,
    store,
    supply,
    registry,
    lines,
    cleaned,
    calls: () => calls,
    answer: (call) => Promise.resolve(guest(`g${call}`)),
    nowMs: 1_760_000_000_000,
  };
  return kit;
}

const mintsByOutcome = async ({ registry }: Kit): Promise<Record<string, number>> => {
  const metric = await registry.getSingleMetric('zai_refresher_mints_total')?.get();
  return Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [String(labels['outcome']), value]));
};

describe('createGuestKeeper', () => {
  it('fills the pool with guests that end within the lifetime', async () => {
    const kit = createKit({ ZAI_ANON_TOKEN_CONCURRENCY: '2' });
    expect(await kit.keeper.refill(never)).toEqual({ isFull: true });
    const lease = await kit.store.lease({ signal: never, waitMs: 0, leaseMs: 1_000 });
    expect(lease.credential).toEqual({
      id: 'guest-g1',
      kind: 'guest',
      token: 'token-g1',
      userId: 'g1',
      userName: 'Guest',
      createdAtMs: kit.nowMs,
      expiresAtMs: kit.nowMs + 600_000,
      concurrency: 2,
    });
    expect(await kit.keeper.refill(never)).toEqual({ isFull: true });
    expect(kit.calls()).toBe(3);
    expect(await mintsByOutcome(kit)).toEqual({ minted: 3 });
  });

  it('fills a large pool at its pace', async () => {
    const kit = createKit({ ZAI_ANON_POOL_SIZE: '7' });
    expect(await kit.keeper.refill(never)).toEqual({ isFull: false, nextAtMs: kit.nowMs + 5_000 });
    expect(kit.calls()).toBe(3);
    kit.nowMs += 5_000;
    await kit.keeper.refill(never);
    kit.nowMs += 5_000;
    expect(await kit.keeper.refill(never)).toEqual({ isFull: true });
    expect(kit.calls()).toBe(7);
  });

  it('honours the hourly cap, whatever becomes of the guests', async () => {
    const kit = createKit({ ZAI_ANON_MINTS_PER_HOUR: '4' });
    for (let minute = 0; minute < 59; minute++) {
      await kit.keeper.refill(never);
      for (let call = 1; call <= kit.calls(); call++) await kit.store.remove(`guest-g${call}`);
      kit.nowMs += 60_000;
    }
    expect(kit.calls()).toBe(4);
    kit.nowMs += 60_000;
    await kit.keeper.refill(never);
    expect(kit.calls()).toBe(7);
  });

  it('replaces expired guests, a little ahead of time, and has their chats deleted', async () => {
    const kit = createKit();
    await kit.keeper.refill(never);
    kit.nowMs += 569_999;
    await kit.keeper.refill(never);
    expect(kit.cleaned).toEqual([]);
    kit.nowMs += 1;
    expect(await kit.keeper.refill(never)).toEqual({ isFull: true });
    expect(kit.cleaned).toEqual(['guest-g1', 'guest-g2', 'guest-g3']);
    expect((await kit.store.counts()).guest).toMatchObject({ ready: 3, expired: 0 });
  });

  it('believes the end that a token names for itself, unless that is over already', async () => {
    const kit = createKit({ ZAI_ANON_POOL_SIZE: '1' });
    kit.answer = () => Promise.resolve({ ...guest('short'), expiresAtMs: kit.nowMs + 60_000 });
    await kit.keeper.refill(never);
    const { credential } = await kit.store.lease({ signal: never, waitMs: 0, leaseMs: 1_000 });
    expect(credential.expiresAtMs).toBe(kit.nowMs + 60_000);
    await kit.store.remove(credential.id);
    kit.answer = () => Promise.resolve({ ...guest('odd'), expiresAtMs: kit.nowMs - 60_000 });
    await kit.keeper.refill(never);
    const odd = await kit.store.lease({ signal: never, waitMs: 0, leaseMs: 1_000 });
    expect(odd.credential.expiresAtMs).toBe(kit.nowMs + 600_000);
  });

  it.each([
    ['upstream_challenged', 'challenged'],
    ['upstream_blocked', 'blocked'],
    ['upstream_busy', 'rate-limited'],
    ['upstream_forbidden', 'refused'],
    ['upstream_unreachable', 'unreachable'],
    ['upstream_timeout', 'unreachable'],
    ['upstream_failed', 'failing'],
    ['upstream_drifted', 'drifted'],
  ] as [ErrorCode, string][])('becomes typed and quiet when minting ends with %s', async (code, state) => {
    const kit = createKit();
    kit.answer = () => Promise.reject(failure(code));
    const { isFull, nextAtMs = 0 } = await kit.keeper.refill(never);
    expect({ isFull, state: kit.supply.current.state }).toEqual({ isFull: false, state });
    expect(await kit.store.poolState()).toMatchObject({ state, untilMs: nextAtMs, reason: `it is ${code}` });
    expect(nextAtMs).toBeGreaterThan(kit.nowMs);
    await kit.keeper.refill(never);
    await kit.keeper.refill(never);
    expect(kit.calls()).toBe(3);
    expect(await mintsByOutcome(kit)).toEqual({ [state]: 3 });
    expect(kit.lines.map(({ level, state: logged }) => [level, logged])).toEqual([['warn', state]]);
  });

  it('waits ever longer, tries with one guest each time, and logs once', async () => {
    const kit = createKit();
    kit.answer = () => Promise.reject(failure('upstream_blocked'));
    const waits: number[] = [];
    for (let round = 0; round < 7; round++) {
      const { nextAtMs = 0 } = await kit.keeper.refill(never);
      waits.push((nextAtMs - kit.nowMs) / 1000);
      kit.nowMs = nextAtMs;
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900]);
    expect(kit.calls()).toBe(3 + 6);
    expect(kit.lines).toHaveLength(1);
  });

  it('honours Retry-After', async () => {
    const kit = createKit();
    kit.answer = () => Promise.reject(failure('upstream_busy', 77));
    expect(await kit.keeper.refill(never)).toEqual({ isFull: false, nextAtMs: kit.nowMs + 77_000 });
  });

  it('recovers with the first success, and says so', async () => {
    const kit = createKit();
    kit.answer = () => Promise.reject(failure('upstream_unreachable'));
    const { nextAtMs = 0 } = await kit.keeper.refill(never);
    kit.nowMs = nextAtMs + 5_000;
    kit.answer = (call) => Promise.resolve(guest(`g${call}`));
    expect(await kit.keeper.refill(never)).toEqual({ isFull: false, nextAtMs: kit.nowMs });
    expect(await kit.store.poolState()).toEqual({ state: 'ok' });
    expect(await kit.keeper.refill(never)).toEqual({ isFull: true });
    expect(kit.lines.map(({ msg }) => msg)).toEqual(['no new credentials come in', 'credentials come in again']);
  });

  it('keeps what came when only some failed', async () => {
    const kit = createKit();
    kit.answer = (call) =>
      call === 2 ? Promise.reject(failure('upstream_busy', 20)) : Promise.resolve(guest(`g${call}`));
    expect(await kit.keeper.refill(never)).toEqual({ isFull: false, nextAtMs: kit.nowMs + 20_000 });
    expect((await kit.store.counts()).guest.ready).toBe(2);
    expect(await kit.store.poolState()).toMatchObject({ state: 'rate-limited' });
  });

  it('does not retire ahead of time while nothing new comes in', async () => {
    const kit = createKit();
    await kit.keeper.refill(never);
    await kit.store.remove('guest-g1');
    kit.nowMs += 5_000;
    kit.answer = () => Promise.reject(failure('upstream_blocked', 3_600));
    await kit.keeper.refill(never);
    kit.nowMs += 594_999;
    await kit.keeper.refill(never);
    expect((await kit.store.counts()).guest.ready).toBe(2);
  });

  it('discards a guest that it has already, and does not insist', async () => {
    const kit = createKit();
    kit.answer = () => Promise.resolve(guest('same'));
    const { nextAtMs = 0 } = await kit.keeper.refill(never);
    expect((await kit.store.counts()).guest.total).toBe(1);
    expect(await mintsByOutcome(kit)).toEqual({ minted: 1, duplicate: 2 });
    expect(await kit.store.poolState()).toMatchObject({ state: 'drifted', untilMs: nextAtMs });
  });

  it('blames nobody for its own end', async () => {
    const kit = createKit();
    const controller = new AbortController();
    kit.answer = () => {
      controller.abort();
      return Promise.reject(new Error('aborted'));
    };
    await kit.keeper.refill(controller.signal);
    expect(await kit.store.poolState()).toEqual({ state: 'ok' });
    expect(kit.lines).toEqual([]);
    expect(await mintsByOutcome(kit)).toEqual({});
  });
});
