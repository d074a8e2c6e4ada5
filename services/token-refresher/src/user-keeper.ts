import type { Credential, CredentialStore } from '@zai2api/credentials';
import type { WebIdentity } from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { allSettledOrThrow } from './all-settled-or-throw.ts';
import { backOffMs } from './back-off.ts';
import type { TokenRefresherSettings } from './config.ts';
import type { FetchIdentity } from './fetch-identity.ts';
import type { RefresherMetrics } from './metrics.ts';
import { isRefusal, toSupplyFault } from './supply-fault.ts';
import type { TickStateStore } from './tick-state-store.ts';
import { createTickState } from './tick-state.ts';
import type { UserToken } from './user-tokens.ts';
import { isInUse, watchedTokensSchema, watchToken, type WatchedToken } from './watched-token.ts';

/** Keeps the operator's tokens checked. */
export interface UserKeeper {
  /** Takes out what is no longer configured, and checks what is due. */
  check(signal: AbortSignal): Promise<{ readonly usable: number; readonly nextAtMs?: number }>;
}

/** A refused token is asked about again rarely: each time the upstream may make a new guest of it (protocol 2). */
const DEAD_CHECK_INTERVAL_MS = 3_600_000;
/**
 * A token that turns refuse but the check accepts is put back at once, the next times ever later: maintained peers let a token rest for
 * one minute or for thirty after three failures (protocol 2).
 */
const FIRST_REVIVAL_GAP_MS = 60_000;
const LONGEST_REVIVAL_GAP_MS = 1_800_000;
/**
 * A token that no replica has been configured with for this long is taken out. Mounted secrets reach the nodes up to two minutes apart, and
 * until then the replicas must not take out each other's tokens.
 */
const ORPHAN_AFTER_MS = 120_000;

type Verdict =
  | { readonly result: 'valid'; readonly identity: WebIdentity }
  | { readonly result: 'dead'; readonly how: 'refused' | 'downgraded' }
  | { readonly result: 'unknown'; readonly error: unknown };

/** A token and what is known of it. */
interface Watched {
  readonly configured: UserToken;
  readonly state: WatchedToken;
}

/** `tokens` gives those configured right now; `now` milliseconds since the epoch, `random` numbers from 0 to 1. */
export function createUserKeeper(options: {
  tokens(): readonly UserToken[];
  settings: TokenRefresherSettings;
  store: CredentialStore;
  stateStore: TickStateStore;
  fetchIdentity: FetchIdentity;
  metrics: RefresherMetrics;
  logger: Logger;
  now(): number;
  random(): number;
}): UserKeeper {
  const { settings, store, fetchIdentity, metrics, logger } = options;
  const checkIntervalMs = settings.ZAI_USER_TOKEN_CHECK_INTERVAL * 1000;
  const tickState = createTickState({
    stateStore: options.stateStore,
    name: 'users',
    schema: watchedTokensSchema,
    emptyValue: {},
  });
  /** What was configured here at the last check. */
  let configuredIds: ReadonlySet<string> = new Set();

  /** The configured tokens with what the last tick knew of them, and the ids of those that nobody is configured with any more. */
  function match(known: Record<string, WatchedToken>): { watched: Watched[]; leftOver: Record<string, WatchedToken> } {
    const nowMs = options.now();
    const tokens = options.tokens();
    const ids = new Set(tokens.map(({ id }) => id));
    const watched = tokens.map((configured) => {
      const state = known[configured.id] ?? watchToken(configured);
      return { configured, state: { ...state, seenAtMs: nowMs } };
    });
    const leftOver = Object.fromEntries(Object.entries(known).filter(([id]) => !ids.has(id)));
    return { watched, leftOver };
  }

  /** Takes out those that were taken out of the configuration here, or long enough ago anywhere; returns the others. */
  async function dropUnconfigured(
    leftOver: Record<string, WatchedToken>,
    ids: ReadonlySet<string>,
  ): Promise<Record<string, WatchedToken>> {
    const nowMs = options.now();
    const kept: Record<string, WatchedToken> = {};
    const droppedHere = [...configuredIds].filter((id) => !ids.has(id));
    const isOrphan = ({ seenAtMs }: WatchedToken): boolean => nowMs - seenAtMs >= ORPHAN_AFTER_MS;
    for (const [id, state] of Object.entries(leftOver)) {
      if (!droppedHere.includes(id) && !isOrphan(state)) kept[id] = state;
    }
    const dropped = new Set([...droppedHere, ...Object.keys(leftOver)].filter((id) => kept[id] === undefined));
    for (const id of dropped) {
      await store.remove(id);
      logger.info({ credential: id }, 'a user token is no longer configured and no longer used');
    }
    configuredIds = ids;
    return kept;
  }

  /** A turn found a token dead: the store does not have it any more. It is asked about soon, and ever later the more often that happens. */
  async function noticeLosses(watched: readonly Watched[]): Promise<void> {
    const present = new Set(await store.ids('user'));
    const nowMs = options.now();
    for (const { configured, state } of watched) {
      if (!isInUse(state)) continue;
      if (present.has(configured.id)) {
        if (nowMs - state.lostAtMs > LONGEST_REVIVAL_GAP_MS) state.losses = 0;
        continue;
      }
      const gapMs =
        state.losses === 0 ? 0 : Math.min(LONGEST_REVIVAL_GAP_MS, FIRST_REVIVAL_GAP_MS * 2 ** (state.losses - 1));
      state.nextCheckAtMs = Math.min(state.nextCheckAtMs, state.checkedAtMs + gapMs);
      if (state.nextCheckAtMs > nowMs) continue;
      state.losses++;
      state.lostAtMs = nowMs;
    }
  }

  async function ask({ token, owner }: WatchedToken, signal: AbortSignal): Promise<Verdict> {
    try {
      const identity = await fetchIdentity({ token, signal });
      // The upstream answers a dead token with a brand-new guest (protocol 2).
      const isSame = owner === null ? identity.role === 'user' : identity.userId === owner.userId;
      return isSame ? { result: 'valid', identity } : { result: 'dead', how: 'downgraded' };
    } catch (error) {
      signal.throwIfAborted();
      if (TurnError.is(error) && isRefusal(error)) return { result: 'dead', how: 'refused' };
      return { result: 'unknown', error };
    }
  }

  async function checkOne(watched: Watched, signal: AbortSignal): Promise<void> {
    const { state, configured } = watched;
    let verdict = await ask(state, signal);
    if (verdict.result === 'dead' && state.token !== configured.configured) {
      // What the upstream rotated to may have ended before what the operator gave.
      state.token = configured.configured;
      verdict = await ask(state, signal);
    }
    state.checkedAtMs = options.now();
    if (verdict.result === 'valid') await accept(watched, verdict.identity);
    else if (verdict.result === 'dead') await markDead(watched, verdict.how);
    else await keepUnchecked(watched, verdict.error);
  }

  async function accept({ configured, state }: Watched, identity: WebIdentity): Promise<void> {
    const { id } = configured;
    const isRotated = identity.token !== state.token;
    metrics.countUserCheck(isRotated ? 'rotated' : 'valid');
    if (state.status !== 'valid') logger.info({ credential: id, role: identity.role }, 'a user token is valid');
    if (identity.role === 'guest' && state.status !== 'valid') {
      logger.warn({ credential: id }, 'a configured user token is a guest token: it can do no more than a guest');
    }
    state.token = identity.token;
    state.owner = { userId: identity.userId, name: identity.name };
    state.status = 'valid';
    state.failures = 0;
    state.nextCheckAtMs = options.now() + checkIntervalMs;
    await store.put(toCredential(id, state.token, state.owner));
  }

  async function markDead({ configured: { id }, state }: Watched, how: 'refused' | 'downgraded'): Promise<void> {
    metrics.countUserCheck(how);
    await store.remove(id);
    if (state.status !== 'dead') {
      const what = how === 'refused' ? 'the upstream refuses it' : 'the upstream answered with another identity';
      logger.error(
        { credential: id },
        `a user token is dead and no longer used: ${what}; put a fresh one into ZAI_UPSTREAM_TOKEN or its file`,
      );
    }
    state.status = 'dead';
    state.nextCheckAtMs = options.now() + DEAD_CHECK_INTERVAL_MS;
  }

  /** Unknown is not dead: a token is used until the upstream says otherwise. */
  async function keepUnchecked({ configured: { id }, state }: Watched, error: unknown): Promise<void> {
    const fault = toSupplyFault(error);
    metrics.countUserCheck('unknown');
    state.nextCheckAtMs = options.now() + backOffMs(fault, state.failures, () => options.random());
    state.failures++;
    if (state.status === 'dead') return;
    if (state.status === 'new') {
      const fate = state.owner ? 'it is used as it is' : 'it names no user id and is not used before that';
      logger.warn(
        { credential: id, state: fault.state, reason: fault.reason },
        `a user token could not be checked; ${fate}`,
      );
      state.status = 'unknown';
    }
    if (state.owner) await store.put(toCredential(id, state.token, state.owner));
  }

  const toCredential = (id: string, token: string, owner: { userId: string; name: string }): Credential => ({
    id,
    kind: 'user',
    token,
    userId: owner.userId,
    userName: owner.name === '' ? 'User' : owner.name,
    createdAtMs: options.now(),
    expiresAtMs: Infinity,
    concurrency: settings.ZAI_UPSTREAM_TOKEN_CONCURRENCY,
  });

  return {
    async check(signal) {
      const known = await tickState.read();
      const { watched, leftOver } = match(known);
      if (watched.length === 0 && configuredIds.size === 0 && Object.keys(leftOver).length === 0) return { usable: 0 };
      const ids = new Set(watched.map(({ configured }) => configured.id));
      const kept = await dropUnconfigured(leftOver, ids);
      const states = watched.map(({ state }) => state);
      await noticeLosses(watched);
      const due = watched.filter(({ state }) => state.nextCheckAtMs <= options.now());
      try {
        await allSettledOrThrow(due.map((one) => checkOne(one, signal)));
      } finally {
        // Also what an aborted tick has learned.
        const learned = watched.map(({ configured, state }) => [configured.id, state] as const);
        await tickState.write({ ...kept, ...Object.fromEntries(learned) });
      }
      const usable = states.filter(isInUse).length;
      if (states.length === 0) return { usable };
      return { usable, nextAtMs: Math.min(...states.map(({ nextCheckAtMs }) => nextCheckAtMs)) };
    },
  };
}
