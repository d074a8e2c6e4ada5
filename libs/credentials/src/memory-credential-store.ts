import { TurnError } from '@zai2api/turn';
import type { Credential } from './credential.ts';
import type { CredentialStore, KindCounts, Lease, LeaseOutcome, LeaseRequest } from './credential-store.ts';
import { refuseForLackOfCapacity, refuseForPoolState, storeClosed, type PoolState } from './pool-state.ts';
import { startUnrefTimer, type StartTimer } from './start-timer.ts';
import { createWaitQueue } from './wait-queue.ts';

/** A credential and what runs on it. */
interface Entry {
  credential: Credential;
  /** Deadlines of its leases by fence. */
  readonly running: Map<number, number>;
  /** Until when it may not be leased, and why. */
  rest: { readonly why: 'busy' | 'challenged'; readonly untilMs: number } | undefined;
  /** Taken out while leases ran: kept, unseen, so that a `put` of the same identity cannot exceed its limit. */
  removed: boolean;
  /** Fence of its latest lease: of two equally busy ones, the one that rested longer goes first. */
  lastFence: number;
}

/**
 * The store of a single process. `now` gives milliseconds since the epoch; `startTimer` wakes those who wait for a deadline or a
 * cool-down and must agree with `now`. Its timers do not keep the process alive and are gone after `close`.
 */
export function createMemoryCredentialStore(options: { now(): number; startTimer?: StartTimer }): CredentialStore {
  const { startTimer = startUnrefTimer } = options;
  const now = (): number => options.now();
  const entries = new Map<string, Entry>();
  const queue = createWaitQueue<Lease>({ now, startTimer });
  const demandListeners = new Set<() => void>();
  const released = new WeakSet<Lease>();
  let poolState: PoolState = { state: 'ok' };
  let fence = 0;
  let closed = false;
  let demandIsDue = false;
  let wake: { readonly atMs: number; readonly cancel: () => void } | undefined;

  /** Sees to it that `settleDue` runs at that time. */
  function wakeAt(atMs: number): void {
    if (closed || (wake && wake.atMs <= atMs)) return;
    wake?.cancel();
    wake = { atMs, cancel: startTimer(atMs - now(), settleDue) };
  }

  /** Frees the slots whose deadline has passed, ends the cool-downs that are over, and serves those who waited for it. */
  function settleDue(): void {
    const nowMs = now();
    wake?.cancel();
    wake = undefined;
    let nextMs = Infinity;
    for (const entry of entries.values()) {
      for (const [leaseFence, deadlineMs] of entry.running) {
        if (deadlineMs <= nowMs) endLease(entry, leaseFence);
        else nextMs = Math.min(nextMs, deadlineMs);
      }
      if (entry.rest && entry.rest.untilMs <= nowMs) entry.rest = undefined;
      if (entry.rest) nextMs = Math.min(nextMs, entry.rest.untilMs);
    }
    if (nextMs < Infinity) wakeAt(nextMs);
    serveWaiters();
  }

  /** Timers may be late; what is due is settled before anything is decided. */
  function catchUp(): void {
    if (wake && wake.atMs <= now()) settleDue();
  }

  function endLease(entry: Entry, leaseFence: number): void {
    entry.running.delete(leaseFence);
    if (entry.removed && entry.running.size === 0) entries.delete(entry.credential.id);
  }

  function serveWaiters(): void {
    for (const waiter of queue.waiters()) {
      const answer = answerTo(waiter.request, waiter.deadlineMs);
      if (TurnError.is(answer)) waiter.refuse(answer);
      else if (answer) waiter.grant(answer);
    }
  }

  /** A lease, a refusal, or undefined: worth waiting for. */
  function answerTo(request: LeaseRequest, deadlineMs: number): Lease | TurnError | undefined {
    const nowMs = now();
    const candidates = [...entries.values()].filter((entry) => isWanted(entry, request, nowMs));
    const best = candidates.filter((entry) => !entry.rest && hasFreeSlot(entry)).sort(byPreference)[0];
    if (best) return grantLease(best, nowMs + request.leaseMs);
    if (candidates.some((entry) => !entry.rest || entry.rest.untilMs <= deadlineMs)) return undefined;
    if (poolState.state !== 'ok' && poolState.untilMs > nowMs)
      return refuseForPoolState(poolState.state, poolState.untilMs, nowMs);
    if (candidates.length > 0 && candidates.every((entry) => entry.rest?.why === 'challenged')) {
      return refuseForPoolState('challenged', Math.min(...restEnds(candidates)), nowMs);
    }
    return undefined;
  }

  function grantLease(entry: Entry, deadlineMs: number): Lease {
    const leaseFence = ++fence;
    const { credential } = entry;
    entry.running.set(leaseFence, deadlineMs);
    entry.lastFence = leaseFence;
    wakeAt(deadlineMs);
    const lease: Lease = {
      credential,
      fence: leaseFence,
      release(outcome) {
        released.add(lease);
        releaseLease(credential, leaseFence, outcome);
        return Promise.resolve();
      },
    };
    return lease;
  }

  function releaseLease({ id, token }: Credential, leaseFence: number, outcome: LeaseOutcome): void {
    catchUp();
    const entry = entries.get(id);
    if (!entry?.running.has(leaseFence)) return;
    endLease(entry, leaseFence);
    applyOutcome(entry, token, outcome);
    serveWaiters();
  }

  function applyOutcome(entry: Entry, token: string, outcome: LeaseOutcome): void {
    if (outcome.result === 'good') return;
    if (outcome.result === 'dead') {
      // The refusal of a token that has been rotated since says nothing about the new one.
      if (token === entry.credential.token) takeOut(entry);
      return;
    }
    const untilMs = now() + outcome.coolDownMs;
    if (entry.rest && entry.rest.untilMs >= untilMs) return;
    entry.rest = { why: outcome.result, untilMs };
    wakeAt(untilMs);
  }

  function takeOut(entry: Entry): void {
    if (entry.removed) return;
    entry.removed = true;
    entry.rest = undefined;
    if (entry.running.size === 0) entries.delete(entry.credential.id);
    announceDemand();
  }

  function announceDemand(): void {
    if (demandIsDue || closed) return;
    demandIsDue = true;
    queueMicrotask(() => {
      demandIsDue = false;
      for (const listener of [...demandListeners]) listener();
    });
  }

  function refuse(request: LeaseRequest): TurnError {
    const nowMs = now();
    const resting = [...entries.values()].filter((entry) => isWanted(entry, request, nowMs));
    const backAtMs = Math.min(...restEnds(resting));
    return refuseForLackOfCapacity(backAtMs === Infinity ? undefined : backAtMs, nowMs);
  }

  function countKind(kind: Credential['kind'], nowMs: number): KindCounts {
    const counts = { ready: 0, leased: 0, coolingDown: 0, challenged: 0, total: 0, expired: 0 };
    for (const entry of entries.values()) {
      if (entry.removed || entry.credential.kind !== kind) continue;
      const state = stateOf(entry, nowMs);
      counts[state]++;
      if (state !== 'expired') counts.total++;
    }
    return counts;
  }

  return {
    async lease(request) {
      request.signal.throwIfAborted();
      if (closed) throw storeClosed();
      catchUp();
      const deadlineMs = now() + request.waitMs;
      // Whoever waits already could not use what is free now, or would have got it: nobody is overtaken here.
      const answer = answerTo(request, deadlineMs);
      if (TurnError.is(answer)) throw answer;
      if (answer) return answer;
      announceDemand();
      if (request.waitMs <= 0) throw refuse(request);
      return queue.join(request, deadlineMs, () => refuse(request));
    },
    renew(lease, leaseMs) {
      catchUp();
      if (closed || released.has(lease)) return Promise.resolve(false);
      const entry = entries.get(lease.credential.id);
      // Nobody can be given what is not there.
      if (!entry) return Promise.resolve(true);
      if (!entry.running.has(lease.fence) && !hasFreeSlot(entry)) return Promise.resolve(false);
      entry.running.set(lease.fence, now() + leaseMs);
      wakeAt(now() + leaseMs);
      return Promise.resolve(true);
    },
    put(credential) {
      if (closed) return Promise.resolve();
      catchUp();
      const entry = entries.get(credential.id);
      if (entry) {
        entry.credential = credential;
        entry.removed = false;
      } else {
        entries.set(credential.id, { credential, running: new Map(), rest: undefined, removed: false, lastFence: 0 });
      }
      serveWaiters();
      return Promise.resolve();
    },
    remove(id) {
      catchUp();
      const entry = entries.get(id);
      if (entry) takeOut(entry);
      serveWaiters();
      return Promise.resolve();
    },
    retireExpired(byMs = now()) {
      catchUp();
      const retired = [...entries.values()]
        .filter((entry) => !entry.removed && entry.running.size === 0 && entry.credential.expiresAtMs <= byMs)
        .map(({ credential }) => credential);
      for (const { id } of retired) entries.delete(id);
      return Promise.resolve(retired);
    },
    counts() {
      catchUp();
      const nowMs = now();
      return Promise.resolve({ guest: countKind('guest', nowMs), user: countKind('user', nowMs), waiting: queue.size });
    },
    ids(kind) {
      const nowMs = now();
      const held = [...entries.values()].filter((entry) => isUsable(entry, nowMs) && entry.credential.kind === kind);
      return Promise.resolve(held.map(({ credential }) => credential.id));
    },
    setPoolState(state) {
      catchUp();
      poolState = state;
      serveWaiters();
      return Promise.resolve();
    },
    poolState: () => Promise.resolve(poolState),
    onDemand(listener) {
      demandListeners.add(listener);
      return () => demandListeners.delete(listener);
    },
    close() {
      closed = true;
      wake?.cancel();
      wake = undefined;
      demandListeners.clear();
      for (const waiter of queue.waiters()) waiter.refuse(storeClosed());
      return Promise.resolve();
    },
  };
}

const isUsable = ({ removed, credential }: Entry, nowMs: number): boolean => !removed && credential.expiresAtMs > nowMs;

const isWanted = (entry: Entry, { exclude, kinds }: LeaseRequest, nowMs: number): boolean =>
  isUsable(entry, nowMs) && !exclude?.has(entry.credential.id) && (kinds?.has(entry.credential.kind) ?? true);

const hasFreeSlot = ({ running, credential }: Entry): boolean => running.size < credential.concurrency;

/** User credentials first, then the least busy, then the one that rested longest, then by id, as every store does. */
function byPreference(one: Entry, other: Entry): number {
  const rank = ({ credential }: Entry): number => (credential.kind === 'user' ? 0 : 1);
  return (
    rank(one) - rank(other) ||
    one.running.size - other.running.size ||
    one.lastFence - other.lastFence ||
    (one.credential.id < other.credential.id ? -1 : 1)
  );
}

function stateOf(entry: Entry, nowMs: number): Exclude<keyof KindCounts, 'total'> {
  if (entry.credential.expiresAtMs <= nowMs) return 'expired';
  if (entry.rest) return entry.rest.why === 'challenged' ? 'challenged' : 'coolingDown';
  return hasFreeSlot(entry) ? 'ready' : 'leased';
}

const restEnds = (entries: readonly Entry[]): number[] => entries.flatMap(({ rest }) => (rest ? [rest.untilMs] : []));
