import type { Credential, CredentialStore } from '@zai2api/credentials';
import type { WebIdentity } from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { allOver } from './all-over.ts';
import { createBackOff, type BackOff } from './back-off.ts';
import type { TokenRefresherSettings } from './config.ts';
import type { FetchIdentity } from './fetch-identity.ts';
import type { RefresherMetrics } from './metrics.ts';
import { isRefusal, toSupplyFault } from './supply-fault.ts';
import type { UserToken } from './user-tokens.ts';

/** Keeps the operator's tokens checked. */
export interface UserKeeper {
  /** Checks what is due. */
  check(signal: AbortSignal): Promise<{ readonly usable: number; readonly nextAtMs?: number }>;
}

/** A refused token is asked about again rarely: each time the upstream may make a new guest of it (protocol 2). */
const DEAD_CHECK_INTERVAL_MS = 3_600_000;
/** A token that turns refuse but the check accepts is put back at once, then ever more slowly. */
const FIRST_REVIVAL_GAP_MS = 30_000;
const LONGEST_REVIVAL_GAP_MS = 600_000;

type Verdict =
  | { readonly result: 'valid'; readonly identity: WebIdentity }
  | { readonly result: 'dead'; readonly how: 'refused' | 'downgraded' }
  | { readonly result: 'unknown'; readonly error: unknown };

interface WatchedToken {
  readonly configured: UserToken;
  readonly backOff: BackOff;
  /** The latest token of this identity. */
  token: string;
  /** Who it must belong to. */
  owner: WebIdentity | undefined;
  /** `unknown`: in use, but not yet checked. */
  status: 'new' | 'valid' | 'unknown' | 'dead';
  checkedAtMs: number;
  nextCheckAtMs: number;
  /** How often it went missing from the pool since it last stayed there, and when. */
  losses: number;
  lostAtMs: number;
}

/** `now` gives milliseconds since the epoch, `random` numbers from 0 to 1. */
export function createUserKeeper(options: {
  tokens: readonly UserToken[];
  settings: TokenRefresherSettings;
  store: CredentialStore;
  fetchIdentity: FetchIdentity;
  metrics: RefresherMetrics;
  logger: Logger;
  now(): number;
  random(): number;
}): UserKeeper {
  const { settings, store, fetchIdentity, metrics, logger } = options;
  const checkIntervalMs = settings.ZAI_USER_TOKEN_CHECK_INTERVAL * 1000;
  const watched = options.tokens.map((configured): WatchedToken => ({
    configured,
    backOff: createBackOff(options),
    token: configured.configured,
    owner: configured.owner,
    status: 'new',
    checkedAtMs: -Infinity,
    nextCheckAtMs: -Infinity,
    losses: 0,
    lostAtMs: -Infinity,
  }));
  const inUse = (): WatchedToken[] =>
    watched.filter(({ status, owner }) => (status === 'valid' || status === 'unknown') && owner !== undefined);

  /** A turn found a token dead: the store has fewer than it should. Which one is not known, so all are asked about. */
  async function noticeLosses(): Promise<void> {
    const missing = inUse().length - (await store.counts()).user.total;
    const nowMs = options.now();
    for (const token of inUse()) {
      if (missing <= 0) {
        if (nowMs - token.lostAtMs > LONGEST_REVIVAL_GAP_MS) token.losses = 0;
        continue;
      }
      const gapMs =
        token.losses === 0 ? 0 : Math.min(LONGEST_REVIVAL_GAP_MS, FIRST_REVIVAL_GAP_MS * 2 ** (token.losses - 1));
      token.nextCheckAtMs = Math.min(token.nextCheckAtMs, token.checkedAtMs + gapMs);
      if (token.nextCheckAtMs > nowMs) continue;
      token.losses++;
      token.lostAtMs = nowMs;
    }
  }

  async function ask({ token, owner }: WatchedToken, signal: AbortSignal): Promise<Verdict> {
    try {
      const identity = await fetchIdentity({ token, signal });
      // The upstream answers a dead token with a brand-new guest (protocol 2).
      const isSame = owner === undefined ? identity.role === 'user' : identity.userId === owner.userId;
      return isSame ? { result: 'valid', identity } : { result: 'dead', how: 'downgraded' };
    } catch (error) {
      signal.throwIfAborted();
      if (TurnError.is(error) && isRefusal(error)) return { result: 'dead', how: 'refused' };
      return { result: 'unknown', error };
    }
  }

  async function checkOne(token: WatchedToken, signal: AbortSignal): Promise<void> {
    let verdict = await ask(token, signal);
    if (verdict.result === 'dead' && token.token !== token.configured.configured) {
      // What the upstream rotated to may have ended before what the operator gave.
      token.token = token.configured.configured;
      verdict = await ask(token, signal);
    }
    token.checkedAtMs = options.now();
    if (verdict.result === 'valid') await accept(token, verdict.identity);
    else if (verdict.result === 'dead') await bury(token, verdict.how);
    else await keepUnchecked(token, verdict.error);
  }

  async function accept(token: WatchedToken, identity: WebIdentity): Promise<void> {
    const { id } = token.configured;
    const isRotated = identity.token !== token.token;
    metrics.countUserCheck(isRotated ? 'rotated' : 'valid');
    if (token.status !== 'valid') logger.info({ credential: id, role: identity.role }, 'a user token is valid');
    if (identity.role === 'guest' && token.status !== 'valid') {
      logger.warn({ credential: id }, 'a token in ZAI_UPSTREAM_TOKEN is a guest token: it can do no more than a guest');
    }
    token.token = identity.token;
    token.owner = identity;
    token.status = 'valid';
    token.backOff.reset();
    token.nextCheckAtMs = options.now() + checkIntervalMs;
    await store.put(toCredential(token, identity));
  }

  async function bury(token: WatchedToken, how: 'refused' | 'downgraded'): Promise<void> {
    const { id } = token.configured;
    metrics.countUserCheck(how);
    await store.remove(id);
    if (token.status !== 'dead') {
      const what = how === 'refused' ? 'the upstream refuses it' : 'the upstream answered with another identity';
      logger.error(
        { credential: id },
        `a user token is dead and no longer used: ${what}; put a fresh one into ZAI_UPSTREAM_TOKEN`,
      );
    }
    token.status = 'dead';
    token.nextCheckAtMs = options.now() + DEAD_CHECK_INTERVAL_MS;
  }

  /** Unknown is not dead: a token is used until the upstream says otherwise. */
  async function keepUnchecked(token: WatchedToken, error: unknown): Promise<void> {
    const { id } = token.configured;
    const fault = toSupplyFault(error);
    metrics.countUserCheck('unknown');
    token.nextCheckAtMs = options.now() + token.backOff.next(fault);
    if (token.status === 'dead') return;
    if (token.status === 'new') {
      const fate = token.owner ? 'it is used as it is' : 'it names no user id and is not used before that';
      logger.warn(
        { credential: id, state: fault.state, reason: fault.reason },
        `a user token could not be checked; ${fate}`,
      );
      token.status = 'unknown';
    }
    if (token.owner) await store.put(toCredential(token, token.owner));
  }

  function toCredential({ configured, token }: WatchedToken, { userId, name }: WebIdentity): Credential {
    return {
      id: configured.id,
      kind: 'user',
      token,
      userId,
      userName: name === '' ? 'User' : name,
      createdAtMs: options.now(),
      expiresAtMs: Infinity,
      concurrency: settings.ZAI_UPSTREAM_TOKEN_CONCURRENCY,
    };
  }

  return {
    async check(signal) {
      if (watched.length === 0) return { usable: 0 };
      await noticeLosses();
      const due = watched.filter(({ nextCheckAtMs }) => nextCheckAtMs <= options.now());
      await allOver(due.map((token) => checkOne(token, signal)));
      return { usable: inUse().length, nextAtMs: Math.min(...watched.map(({ nextCheckAtMs }) => nextCheckAtMs)) };
    },
  };
}
