import { refillPool, type CredentialStore, type RefillPlan } from '@zai2api/credentials';
import type { WebIdentity } from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { z } from 'zod';
import { allSettledOrThrow } from './all-settled-or-throw.ts';
import type { ChatCleaner } from './chat-cleaner.ts';
import type { TokenRefresherSettings } from './config.ts';
import type { FetchIdentity } from './fetch-identity.ts';
import type { RefresherMetrics } from './metrics.ts';
import type { MintBudget } from './mint-budget.ts';
import type { SupplyState } from './supply-state.ts';
import { toSupplyFault, worstFault, type SupplyFault } from './supply-fault.ts';
import type { TickStateStore } from './tick-state-store.ts';
import { createTickState } from './tick-state.ts';

/** Keeps the pool filled with guests. */
export interface GuestKeeper {
  /** Retires, counts and mints once. */
  refill(signal: AbortSignal): Promise<{ readonly isFull: boolean; readonly nextAtMs?: number }>;
}

/** Guests are asked for like somebody who opens a few tabs: some at once, then no more than these in five seconds. */
const BURST = 3;
const BURST_WINDOW_MS = 5_000;
/** Guests end up to this share sooner than the lifetime says, so that those of one burst do not all end together. */
const LIFETIME_JITTER = 0.15;
/** A guest that ends before the next look is replaced now, unless that is a large part of its life. */
const LONGEST_LOOKAHEAD_SHARE = 0.1;

const repeatedGuest: SupplyFault = {
  state: 'drifted',
  reason: 'The upstream gave out a guest that is in the pool already.',
};

/** All times of `now` are milliseconds since the epoch; `random` gives numbers from 0 to 1. */
export function createGuestKeeper(options: {
  settings: TokenRefresherSettings;
  store: CredentialStore;
  budget: MintBudget;
  stateStore: TickStateStore;
  fetchIdentity: FetchIdentity;
  cleaner: ChatCleaner;
  supply: SupplyState;
  metrics: RefresherMetrics;
  logger: Logger;
  now(): number;
  random(): number;
}): GuestKeeper {
  const { settings, store, budget, fetchIdentity, cleaner, supply, metrics, logger } = options;
  const lifetimeMs = settings.ZAI_AUTH_TOKEN_CACHE_TTL * 1000;
  const lookaheadMs = Math.min(settings.ZAI_REFRESH_INTERVAL * 1000, lifetimeMs * LONGEST_LOOKAHEAD_SHARE);
  const tickState = createTickState({
    stateStore: options.stateStore,
    name: 'guests',
    schema: z.record(z.string(), z.number()),
    emptyValue: {},
  });
  /** User ids that were given out, until they expire. */
  let known = new Map<string, number>();

  async function retire(): Promise<void> {
    // While no new ones come in, the old ones are kept to the end.
    const byMs = options.now() + (supply.current.state === 'ok' ? lookaheadMs : 0);
    for (const credential of await store.retireExpired(byMs)) cleaner.clean(credential);
  }

  async function loadKnown(): Promise<void> {
    const entries = Object.entries(await tickState.read());
    known = new Map(entries.filter(([, expiresAtMs]) => expiresAtMs > options.now()));
  }

  async function plan(): Promise<{ missing: number; plan: RefillPlan }> {
    const counts = await store.counts();
    const nowMs = options.now();
    const guests = settings.ZAI_ANON_POOL_SIZE;
    return {
      missing: guests - counts.guest.total,
      plan: refillPool(counts, {
        guests,
        nowMs,
        poolState: supply.current,
        recentMintsMs: await budget.recent(nowMs),
        mintsPerHour: settings.ZAI_ANON_MINTS_PER_HOUR,
        burst: BURST,
        burstWindowMs: BURST_WINDOW_MS,
      }),
    };
  }

  async function mintOne(signal: AbortSignal): Promise<SupplyFault | undefined> {
    let identity: WebIdentity;
    try {
      identity = await fetchIdentity({ signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      const fault = toSupplyFault(error);
      metrics.countMint(fault.state);
      logger.debug({ state: fault.state, err: error }, 'no guest came');
      return fault;
    }
    if (known.has(identity.userId)) {
      metrics.countMint('duplicate');
      return repeatedGuest;
    }
    const nowMs = options.now();
    const expiresAtMs = expiryOf(identity, nowMs);
    known.set(identity.userId, expiresAtMs);
    await store.put({
      id: `guest-${identity.userId}`,
      kind: 'guest',
      token: identity.token,
      userId: identity.userId,
      userName: identity.name === '' ? 'Guest' : identity.name,
      createdAtMs: nowMs,
      expiresAtMs,
      concurrency: settings.ZAI_ANON_TOKEN_CONCURRENCY,
    });
    metrics.countMint('minted');
    return undefined;
  }

  function expiryOf({ expiresAtMs: ownEndMs = Infinity }: WebIdentity, nowMs: number): number {
    const trustedUntilMs = nowMs + lifetimeMs * (1 - LIFETIME_JITTER * options.random());
    // A token that seems to be over on arrival speaks of a wrong clock, not of a useless token.
    return ownEndMs > nowMs ? Math.min(ownEndMs, trustedUntilMs) : trustedUntilMs;
  }

  async function mint(wanted: number, signal: AbortSignal): Promise<void> {
    const booking = { count: wanted, mostPerHour: settings.ZAI_ANON_MINTS_PER_HOUR, nowMs: options.now() };
    const count = await budget.book(booking);
    if (count === 0) return;
    await loadKnown();
    const results = await allSettledOrThrow(Array.from({ length: count }, () => mintOne(signal)));
    await tickState.write(Object.fromEntries(known));
    if (signal.aborted) return;
    const faults = results.filter((fault) => fault !== undefined);
    const worst = worstFault(faults);
    if (faults.length < count) await supply.recover();
    if (worst) await supply.fail(worst);
  }

  return {
    async refill(signal) {
      await retire();
      const before = await plan();
      signal.throwIfAborted();
      if (before.plan.mint > 0) await mint(before.plan.mint, signal);
      const { missing, plan: after } = await plan();
      if (missing <= 0) return { isFull: true };
      const nextAtMs = after.mint > 0 ? options.now() : after.nextMintAtMs;
      return { isFull: false, ...(nextAtMs === undefined ? {} : { nextAtMs }) };
    },
  };
}
