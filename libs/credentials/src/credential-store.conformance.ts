import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Credential } from './credential.ts';
import type { CredentialStore, Lease, LeaseRequest, PoolCounts } from './credential-store.ts';
import type { BadPoolState } from './pool-state.ts';
import type { StartTimer } from './start-timer.ts';

/** A store on a clock that stands still until the test moves it. */
export interface StoreUnderTest {
  readonly store: CredentialStore;
  now(): number;
  /** Moves the clock and lets what became due happen. */
  advance(milliseconds: number): Promise<void>;
  /** Closes the store and what is behind it. */
  close(): Promise<void>;
}

/** A clock for stores: time and timers move by `advance` only. */
export interface ManualClock {
  now(): number;
  readonly startTimer: StartTimer;
  advance(milliseconds: number): Promise<void>;
  readonly pendingTimers: number;
}

/** A clock that starts at a fixed moment and runs due timers in order. */
export function createManualClock(): ManualClock {
  let nowMs = 1_760_000_000_000;
  const timers = new Set<{ atMs: number; run: () => void }>();
  return {
    now: () => nowMs,
    startTimer(delayMs, run) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(milliseconds) {
      const endMs = nowMs + milliseconds;
      for (;;) {
        const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).sort((one, other) => one.atMs - other.atMs);
        if (!next) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
        await Promise.resolve();
      }
      nowMs = endMs;
      await Promise.resolve();
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}

/** The longest that a test waits for an event. */
const EVENT_DEADLINE_MS = 5_000;

/** The promise, or a failure that names it when it does not settle in time. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} did not happen in ${EVENT_DEADLINE_MS} ms`)),
    EVENT_DEADLINE_MS,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What every credential store promises. The port says it in words, this says it in deeds. */
export function describeCredentialStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the promises of a credential store`, () => {
    let subject: StoreUnderTest;
    let store: CredentialStore;
    const never = new AbortController().signal;

    beforeEach(async () => {
      subject = await makeStore();
      store = subject.store;
    });
    afterEach(() => subject.close());

    const credential = (id: string, overrides: Partial<Credential> = {}): Credential => ({
      id,
      kind: 'guest',
      token: `token-of-${id}`,
      userId: `user-of-${id}`,
      userName: id,
      createdAtMs: subject.now(),
      expiresAtMs: subject.now() + 3_600_000,
      concurrency: 1,
      ...overrides,
    });
    const put = async (...credentials: Credential[]): Promise<void> => {
      for (const each of credentials) await store.put(each);
    };
    const request = (overrides: Partial<LeaseRequest> = {}): LeaseRequest => ({
      signal: never,
      waitMs: 60_000,
      leaseMs: 600_000,
      ...overrides,
    });
    const leaseNow = (overrides: Partial<LeaseRequest> = {}): Promise<Lease> =>
      within(store.lease(request({ waitMs: 0, ...overrides })), 'a lease without waiting');
    const idOf = async (lease: Promise<Lease>): Promise<string> => (await within(lease, 'a lease')).credential.id;

    /** Resolves when the counts are as wanted. */
    async function untilCounts(isWanted: (counts: PoolCounts) => boolean): Promise<void> {
      const endMs = performance.now() + EVENT_DEADLINE_MS;
      for (;;) {
        const counts = await store.counts();
        if (isWanted(counts)) return;
        if (performance.now() > endMs) throw new Error(`the counts stay ${JSON.stringify(counts)}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    /** A lease request that is known to wait, as the last in line. */
    async function leaseInLine(overrides: Partial<LeaseRequest> = {}): Promise<{ lease: Promise<Lease> }> {
      const before = (await store.counts()).waiting;
      const lease = store.lease(request(overrides));
      lease.catch(() => undefined);
      await untilCounts(({ waiting }) => waiting === before + 1);
      return { lease };
    }
    const refusal = (code: string): unknown =>
      expect.objectContaining({
        name: 'TurnError',
        code,
        details: expect.objectContaining({ retryAfterSeconds: expect.any(Number) as unknown }) as unknown,
      });

    describe('choosing', () => {
      it('leases a ready credential with rising fences', async () => {
        await put(credential('a', { concurrency: 2 }));
        const first = await leaseNow();
        const second = await leaseNow();
        expect(first.credential).toEqual(credential('a', { concurrency: 2 }));
        expect(second.fence).toBeGreaterThan(first.fence);
      });

      it('prefers a user credential until its slots are taken', async () => {
        await put(credential('guest'), credential('user', { kind: 'user', concurrency: 2, expiresAtMs: Infinity }));
        expect([await idOf(leaseNow()), await idOf(leaseNow()), await idOf(leaseNow())]).toEqual([
          'user',
          'user',
          'guest',
        ]);
      });

      it('takes the least busy one', async () => {
        await put(credential('a', { concurrency: 3 }), credential('b', { concurrency: 3 }));
        const first = await leaseNow();
        const second = await leaseNow();
        expect(new Set([first.credential.id, second.credential.id])).toEqual(new Set(['a', 'b']));
        await leaseNow();
        await leaseNow();
        await second.release({ result: 'good' });
        expect(await idOf(leaseNow())).toBe(second.credential.id);
      });

      it('takes turns among equally busy ones', async () => {
        await put(credential('a'), credential('b'), credential('c'));
        const used: string[] = [];
        for (let turn = 0; turn < 6; turn++) {
          const lease = await leaseNow();
          used.push(lease.credential.id);
          await lease.release({ result: 'good' });
        }
        expect(used.slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
        expect(used.slice(3)).toEqual(used.slice(0, 3));
      });

      it('does not hand out what the request has tried already', async () => {
        await put(credential('user', { kind: 'user' }), credential('guest'));
        expect(await idOf(leaseNow({ exclude: new Set(['user']) }))).toBe('guest');
        await expect(leaseNow({ exclude: new Set(['user', 'guest']) })).rejects.toEqual(refusal('no_capacity'));
      });

      it('hands out only the kinds that will do, and says why not', async () => {
        const users = new Set(['user'] as const);
        await put(credential('guest'));
        await expect(leaseNow({ kinds: users })).rejects.toEqual(refusal('no_capacity'));
        await put(credential('user', { kind: 'user' }));
        const user = await leaseNow({ kinds: users });
        expect(user.credential.id).toBe('user');
        expect(await idOf(leaseNow({ kinds: new Set(['guest']) }))).toBe('guest');
        await user.release({ result: 'challenged', coolDownMs: 300_000 });
        await expect(within(store.lease(request({ kinds: users })), 'the refusal')).rejects.toEqual(
          refusal('upstream_challenged'),
        );
      });

      it('never exceeds a credential’s limit, whoever asks', async () => {
        await put(credential('a', { concurrency: 2 }), credential('b', { concurrency: 3 }));
        const running = new Map<string, number>();
        let most = 0;
        const turns = Array.from({ length: 40 }, async () => {
          const lease = await store.lease(request());
          const { id, concurrency } = lease.credential;
          const busy = (running.get(id) ?? 0) + 1;
          running.set(id, busy);
          most = Math.max(most, busy - concurrency);
          await new Promise((resolve) => setImmediate(resolve));
          running.set(id, (running.get(id) ?? 1) - 1);
          await lease.release({ result: 'good' });
        });
        await within(Promise.all(turns), 'all turns');
        expect(most).toBe(0);
        expect(await store.counts()).toMatchObject({ guest: { ready: 2, leased: 0 }, waiting: 0 });
      });
    });

    describe('waiting', () => {
      it('refuses at once when told not to wait', async () => {
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        expect((await store.counts()).waiting).toBe(0);
      });

      it('refuses after the wait, and not before', async () => {
        const { lease } = await leaseInLine({ waitMs: 10_000 });
        await subject.advance(9_999);
        expect((await store.counts()).waiting).toBe(1);
        await subject.advance(1);
        await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('no_capacity'));
        expect((await store.counts()).waiting).toBe(0);
      });

      it('says when a resting credential comes back', async () => {
        await put(credential('a'));
        await (await leaseNow()).release({ result: 'busy', coolDownMs: 7_500 });
        await expect(leaseNow()).rejects.toMatchObject({ code: 'no_capacity', details: { retryAfterSeconds: 8 } });
      });

      it('wakes those who wait by a release, first come first served', async () => {
        await put(credential('a'));
        const held = await leaseNow();
        const first = await leaseInLine();
        const second = await leaseInLine();
        await held.release({ result: 'good' });
        const firstLease = await within(first.lease, 'the first lease');
        expect((await store.counts()).waiting).toBe(1);
        await firstLease.release({ result: 'good' });
        expect((await within(second.lease, 'the second lease')).fence).toBeGreaterThan(firstLease.fence);
      });

      it('wakes those who wait by a new credential, as many as it can carry', async () => {
        const first = await leaseInLine();
        const second = await leaseInLine();
        await leaseInLine();
        await put(credential('a', { concurrency: 2 }));
        expect([await idOf(first.lease), await idOf(second.lease)]).toEqual(['a', 'a']);
        expect((await store.counts()).waiting).toBe(1);
      });

      it('lets nobody overtake who could use what is free', async () => {
        await put(credential('a'));
        const held = await leaseNow();
        const patient = await leaseInLine();
        const released = held.release({ result: 'good' });
        const newcomer = store.lease(request({ waitMs: 0 }));
        newcomer.catch(() => undefined);
        await released;
        expect(await idOf(patient.lease)).toBe('a');
        await expect(within(newcomer, 'the refusal')).rejects.toEqual(refusal('no_capacity'));
      });

      it('is not held up by a waiter who may not use what is free', async () => {
        await put(credential('a'));
        const held = await leaseNow();
        const choosy = await leaseInLine({ exclude: new Set(['a']) });
        const other = await leaseInLine();
        await held.release({ result: 'good' });
        expect(await idOf(other.lease)).toBe('a');
        expect((await store.counts()).waiting).toBe(1);
        await put(credential('b'));
        expect(await idOf(choosy.lease)).toBe('b');
      });

      it('waits for the kind that will do while others are free, and holds up nobody', async () => {
        await put(credential('guest'), credential('user', { kind: 'user' }));
        const held = await leaseNow();
        const choosy = await leaseInLine({ kinds: new Set(['user']) });
        expect(await idOf(leaseNow())).toBe('guest');
        await put(credential('another guest'));
        expect((await store.counts()).waiting).toBe(1);
        await held.release({ result: 'good' });
        expect(await idOf(choosy.lease)).toBe('user');
      });

      it('refuses an aborted request with its reason and takes nothing for it', async () => {
        await put(credential('a'));
        const reason = new Error('left before asking');
        await expect(leaseNow({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
        expect((await store.counts()).guest.ready).toBe(1);
      });

      it('lets a waiter leave at once, and its place in line with it', async () => {
        await put(credential('a'));
        const held = await leaseNow();
        const controller = new AbortController();
        const leaving = await leaseInLine({ signal: controller.signal });
        const staying = await leaseInLine();
        const reason = new Error('the client left');
        controller.abort(reason);
        await expect(within(leaving.lease, 'leaving')).rejects.toBe(reason);
        await untilCounts(({ waiting }) => waiting === 1);
        await held.release({ result: 'good' });
        expect(await idOf(staying.lease)).toBe('a');
      });

      it('does not take a lease back when the signal aborts after it was given', async () => {
        await put(credential('a'));
        const controller = new AbortController();
        const lease = await leaseNow({ signal: controller.signal });
        controller.abort();
        expect((await store.counts()).guest.leased).toBe(1);
        await lease.release({ result: 'good' });
        expect((await store.counts()).guest.ready).toBe(1);
      });
    });

    describe('deadlines and fences', () => {
      it('frees the slot of a lease whose deadline has passed and wakes who waits for it', async () => {
        await put(credential('a'));
        const lost = await leaseNow({ leaseMs: 5_000 });
        const { lease } = await leaseInLine();
        await subject.advance(4_999);
        expect((await store.counts()).waiting).toBe(1);
        await subject.advance(1);
        expect((await within(lease, 'the next lease')).fence).toBeGreaterThan(lost.fence);
      });

      it.each([
        { result: 'good' as const },
        { result: 'busy' as const, coolDownMs: 60_000 },
        { result: 'dead' as const },
        { result: 'challenged' as const, coolDownMs: 60_000 },
      ])('lets a late release ($result) change nothing', async (outcome) => {
        await put(credential('a'));
        const late = await leaseNow({ leaseMs: 5_000 });
        await subject.advance(5_000);
        const current = await leaseNow();
        await late.release(outcome);
        expect(await store.counts()).toMatchObject({ guest: { leased: 1, ready: 0, total: 1 } });
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        await current.release({ result: 'good' });
        expect(await idOf(leaseNow())).toBe('a');
      });

      it('frees one slot for one lease, however often it is released', async () => {
        await put(credential('a', { concurrency: 2 }));
        const first = await leaseNow();
        await leaseNow();
        await first.release({ result: 'good' });
        await first.release({ result: 'dead' });
        await leaseNow();
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      });

      it('renews a lease that holds, and none that was given back', async () => {
        await put(credential('a'));
        const lease = await leaseNow({ leaseMs: 5_000 });
        await subject.advance(4_000);
        expect(await store.renew(lease, 5_000)).toBe(true);
        await subject.advance(4_000);
        expect((await store.counts()).guest.leased).toBe(1);
        await subject.advance(1_000);
        expect((await store.counts()).guest.ready).toBe(1);
        const other = await leaseNow();
        await other.release({ result: 'good' });
        expect(await store.renew(other, 5_000)).toBe(false);
        expect((await store.counts()).guest.ready).toBe(1);
      });

      it('lets a late renewal take its slot again while nobody has it, and never beyond the limit', async () => {
        await put(credential('a', { concurrency: 2 }));
        const late = await leaseNow({ leaseMs: 5_000 });
        const later = await leaseNow({ leaseMs: 5_000 });
        await subject.advance(5_000);
        expect((await store.counts()).guest.ready).toBe(1);
        expect(await store.renew(late, 5_000)).toBe(true);
        await leaseNow();
        expect((await store.counts()).guest.leased).toBe(1);
        expect(await store.renew(later, 5_000)).toBe(false);
        await late.release({ result: 'good' });
        await leaseNow();
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        expect(await store.renew(late, 5_000)).toBe(false);
        expect(await store.renew(later, 5_000)).toBe(false);
      });

      it('frees a slot that was taken again at its new deadline', async () => {
        await put(credential('a'));
        const late = await leaseNow({ leaseMs: 5_000 });
        await subject.advance(6_000);
        expect(await store.renew(late, 5_000)).toBe(true);
        await subject.advance(4_999);
        expect((await store.counts()).guest.leased).toBe(1);
        await subject.advance(1);
        expect((await store.counts()).guest.ready).toBe(1);
      });

      it('lets a turn go on whose credential is gone, and counts it when the credential is back', async () => {
        await put(credential('a', { expiresAtMs: subject.now() + 1_000 }));
        const lease = await leaseNow({ leaseMs: 5_000 });
        await subject.advance(5_000);
        expect((await store.retireExpired()).map(({ id }) => id)).toEqual(['a']);
        expect(await store.renew(lease, 5_000)).toBe(true);
        await put(credential('a'));
        expect(await store.renew(lease, 5_000)).toBe(true);
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        await lease.release({ result: 'good' });
        expect(await idOf(leaseNow())).toBe('a');
      });
    });

    describe('outcomes', () => {
      it('rests a busy credential and brings it back by itself', async () => {
        await put(credential('a'));
        await (await leaseNow()).release({ result: 'busy', coolDownMs: 3_000 });
        expect((await store.counts()).guest).toMatchObject({ ready: 0, coolingDown: 1, total: 1 });
        const { lease } = await leaseInLine();
        await subject.advance(3_000);
        expect(await idOf(lease)).toBe('a');
      });

      it('does not shorten a cool-down', async () => {
        await put(credential('a', { concurrency: 3 }));
        const leases = [await leaseNow(), await leaseNow(), await leaseNow()] as const;
        await leases[0].release({ result: 'busy', coolDownMs: 10_000 });
        await leases[1].release({ result: 'busy', coolDownMs: 1_000 });
        await leases[2].release({ result: 'good' });
        await subject.advance(9_999);
        expect((await store.counts()).guest.coolingDown).toBe(1);
        await subject.advance(1);
        expect((await store.counts()).guest.ready).toBe(1);
      });

      it('never uses a dead credential again', async () => {
        await put(credential('a', { concurrency: 2 }));
        const first = await leaseNow();
        const second = await leaseNow();
        await first.release({ result: 'dead' });
        expect((await store.counts()).guest.total).toBe(0);
        await second.release({ result: 'good' });
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      });

      it('does not blame a rotated token for the old one', async () => {
        await put(credential('a', { kind: 'user', token: 'old' }));
        const lease = await leaseNow();
        await put(credential('a', { kind: 'user', token: 'new' }));
        await lease.release({ result: 'dead' });
        expect((await leaseNow()).credential.token).toBe('new');
      });

      it('answers for challenged credentials at once, until they are back', async () => {
        await put(credential('a'));
        await (await leaseNow()).release({ result: 'challenged', coolDownMs: 300_000 });
        expect((await store.counts()).guest).toMatchObject({ challenged: 1, ready: 0, total: 1 });
        await expect(within(store.lease(request()), 'the refusal')).rejects.toMatchObject({
          code: 'upstream_challenged',
          details: { retryAfterSeconds: 300 },
        });
        await subject.advance(300_000);
        expect(await idOf(leaseNow())).toBe('a');
      });

      it('tells those who wait already, when the last one is challenged', async () => {
        await put(credential('a'));
        const held = await leaseNow();
        const { lease } = await leaseInLine();
        await held.release({ result: 'challenged', coolDownMs: 300_000 });
        await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('upstream_challenged'));
      });

      it('uses the others while one is challenged', async () => {
        await put(credential('a'), credential('b'));
        const challenged = await leaseNow();
        await challenged.release({ result: 'challenged', coolDownMs: 300_000 });
        const other = await leaseNow();
        const { lease } = await leaseInLine();
        await other.release({ result: 'good' });
        expect(await idOf(lease)).toBe(other.credential.id);
      });
    });

    describe('putting and taking out', () => {
      it('replaces a credential of the same id and keeps its leases and its rest', async () => {
        await put(credential('a', { concurrency: 2 }));
        const first = await leaseNow();
        await put(credential('a', { concurrency: 2, token: 'rotated' }));
        const second = await leaseNow();
        expect(second.credential.token).toBe('rotated');
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        await first.release({ result: 'busy', coolDownMs: 5_000 });
        await put(credential('a', { concurrency: 2, token: 'rotated again' }));
        expect((await store.counts()).guest).toMatchObject({ coolingDown: 1, total: 1 });
      });

      it('keeps the limit of an identity that was taken out and put back while it ran', async () => {
        await put(credential('a'));
        const running = await leaseNow();
        await store.remove('a');
        expect((await store.counts()).guest.total).toBe(0);
        await put(credential('a'));
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        await running.release({ result: 'good' });
        expect(await idOf(leaseNow())).toBe('a');
      });

      it('takes out what is removed; removing the unknown is no error', async () => {
        await put(credential('a'), credential('b'));
        await store.remove('a');
        await store.remove('nobody');
        expect((await store.counts()).guest.total).toBe(1);
        expect(await idOf(leaseNow())).toBe('b');
      });

      it('does not hand out what has expired, and returns it once for clean-up', async () => {
        await put(credential('old', { expiresAtMs: subject.now() + 10_000 }), credential('young'));
        await subject.advance(10_000);
        expect((await store.counts()).guest).toMatchObject({ ready: 1, total: 1, expired: 1 });
        expect(await idOf(leaseNow())).toBe('young');
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        expect((await store.retireExpired()).map(({ id, token }) => ({ id, token }))).toEqual([
          { id: 'old', token: 'token-of-old' },
        ]);
        expect(await store.retireExpired()).toEqual([]);
        expect((await store.counts()).guest.expired).toBe(0);
      });

      it('retires ahead of time on demand, and never a user token', async () => {
        await put(
          credential('soon', { expiresAtMs: subject.now() + 10_000 }),
          credential('user', { kind: 'user', expiresAtMs: Infinity }),
        );
        expect(await store.retireExpired(subject.now() + 9_999)).toEqual([]);
        expect((await store.retireExpired(subject.now() + 10_000)).map(({ id }) => id)).toEqual(['soon']);
        expect((await store.counts()).user.ready).toBe(1);
      });

      it('leaves an expired credential to the turn that runs on it', async () => {
        await put(credential('a', { expiresAtMs: subject.now() + 10_000 }));
        const lease = await leaseNow();
        await subject.advance(10_000);
        expect(await store.retireExpired()).toEqual([]);
        await lease.release({ result: 'good' });
        await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
        expect((await store.retireExpired()).map(({ id }) => id)).toEqual(['a']);
      });
    });

    describe('a bad supply', () => {
      const expected = {
        challenged: 'upstream_challenged',
        blocked: 'upstream_blocked',
        'rate-limited': 'upstream_busy',
        refused: 'upstream_forbidden',
        unreachable: 'upstream_unreachable',
        failing: 'upstream_failed',
        drifted: 'upstream_drifted',
        unsupplied: 'no_capacity',
      } as const satisfies Record<BadPoolState, string>;
      const become = (state: BadPoolState, forMs = 90_000): Promise<void> =>
        store.setPoolState({ state, untilMs: subject.now() + forMs, reason: 'as the test says' });

      it.each(Object.entries(expected) as [BadPoolState, string][])(
        'answers an empty pool that is %s with %s at once',
        async (state, code) => {
          await become(state);
          await expect(within(store.lease(request()), 'the refusal')).rejects.toMatchObject({
            code,
            details: { retryAfterSeconds: 90 },
          });
          expect(await store.poolState()).toEqual({
            state,
            untilMs: subject.now() + 90_000,
            reason: 'as the test says',
          });
        },
      );

      it('tells those who wait already', async () => {
        const first = await leaseInLine();
        const second = await leaseInLine();
        await become('blocked');
        await expect(within(first.lease, 'the refusal')).rejects.toEqual(refusal('upstream_blocked'));
        await expect(within(second.lease, 'the refusal')).rejects.toEqual(refusal('upstream_blocked'));
        expect((await store.counts()).waiting).toBe(0);
      });

      it('still leases what is there, and waits for what comes back', async () => {
        await put(credential('a'));
        await become('challenged');
        const held = await leaseNow();
        const { lease } = await leaseInLine();
        await held.release({ result: 'busy', coolDownMs: 2_000 });
        expect((await store.counts()).waiting).toBe(1);
        await subject.advance(2_000);
        expect(await idOf(lease)).toBe('a');
      });

      it('tells those who wait when the last credential dies', async () => {
        await put(credential('a'));
        await become('unreachable');
        const held = await leaseNow();
        const { lease } = await leaseInLine();
        await held.release({ result: 'dead' });
        await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('upstream_unreachable'));
      });

      it('does not wait for a cool-down longer than the wait', async () => {
        await put(credential('a'));
        await become('blocked');
        await (await leaseNow()).release({ result: 'busy', coolDownMs: 61_000 });
        await expect(within(store.lease(request({ waitMs: 60_000 })), 'the refusal')).rejects.toEqual(
          refusal('upstream_blocked'),
        );
      });

      it('waits again once the next try is due, or the state is good', async () => {
        await become('blocked', 1_000);
        await subject.advance(1_000);
        const { lease } = await leaseInLine();
        await store.setPoolState({ state: 'ok' });
        expect(await store.poolState()).toEqual({ state: 'ok' });
        expect((await store.counts()).waiting).toBe(1);
        await put(credential('a'));
        expect(await idOf(lease)).toBe('a');
      });
    });

    describe('counts', () => {
      it('counts each credential once, by kind', async () => {
        await put(
          credential('ready', { kind: 'user', concurrency: 2 }),
          credential('leased'),
          credential('resting'),
          credential('challenged'),
          credential('expired', { expiresAtMs: subject.now() }),
        );
        const except = (...ids: string[]): ReadonlySet<string> => new Set(ids);
        await leaseNow({ exclude: except('leased', 'resting', 'challenged') });
        await leaseNow({ exclude: except('ready', 'resting', 'challenged') });
        const resting = await leaseNow({ exclude: except('ready', 'challenged') });
        await resting.release({ result: 'busy', coolDownMs: 1_000 });
        const challenged = await leaseNow({ exclude: except('ready', 'resting') });
        await challenged.release({ result: 'challenged', coolDownMs: 1_000 });
        expect(await store.counts()).toEqual({
          user: { ready: 1, leased: 0, coolingDown: 0, challenged: 0, total: 1, expired: 0 },
          guest: { ready: 0, leased: 1, coolingDown: 1, challenged: 1, total: 3, expired: 1 },
          waiting: 0,
        });
      });
    });

    describe('ids', () => {
      it('names those of a kind that are there', async () => {
        await put(
          credential('guest'),
          credential('one', { kind: 'user' }),
          credential('two', { kind: 'user' }),
          credential('three', { kind: 'user' }),
          credential('over', { kind: 'user', expiresAtMs: subject.now() + 1_000 }),
        );
        await (await leaseNow({ exclude: new Set(['two', 'three', 'over']) })).release({ result: 'dead' });
        await (await leaseNow({ kinds: new Set(['user']) })).release({ result: 'busy', coolDownMs: 60_000 });
        await subject.advance(1_000);
        expect((await store.ids('user')).sort()).toEqual(['three', 'two']);
        expect(await store.ids('guest')).toEqual(['guest']);
        await store.remove('two');
        expect(await store.ids('user')).toEqual(['three']);
      });
    });

    describe('demand', () => {
      const nextDemand = (): { demand: Promise<void>; stop: () => void } => {
        const { promise, resolve } = Promise.withResolvers<undefined>();
        return { demand: promise, stop: store.onDemand(() => resolve(undefined)) };
      };

      it('is announced when a lease has to wait', async () => {
        const { demand } = nextDemand();
        await leaseInLine();
        await within(demand, 'the demand');
      });

      it('is announced when a credential is removed or dies', async () => {
        await put(credential('a'), credential('b'));
        const removal = nextDemand();
        await store.remove('a');
        await within(removal.demand, 'the demand');
        const death = nextDemand();
        await (await leaseNow()).release({ result: 'dead' });
        await within(death.demand, 'the demand');
      });

      it('is not announced to those who no longer listen', async () => {
        let calls = 0;
        const stop = store.onDemand(() => calls++);
        const { demand } = nextDemand();
        stop();
        await leaseInLine();
        await within(demand, 'the demand of the other listener');
        expect(calls).toBe(0);
      });
    });

    describe('closing', () => {
      it('refuses those who wait and those who come later, and takes late releases', async () => {
        await put(credential('a'));
        const held = await leaseNow();
        const { lease } = await leaseInLine();
        await store.close();
        await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('shutting_down'));
        await expect(leaseNow()).rejects.toEqual(refusal('shutting_down'));
        await held.release({ result: 'good' });
        await store.close();
      });
    });
  });
}
