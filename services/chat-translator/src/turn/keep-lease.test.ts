import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CredentialStore, Lease, LeaseOutcome } from '@zai2api/credentials';
import { TurnError } from '@zai2api/turn';
import { keepLease } from './keep-lease.ts';

const request = { signal: new AbortController().signal, waitMs: 0, leaseMs: 60_000 };
const wanted = { ...request, logger: { warn: (): void => undefined } };

interface Recorded {
  readonly store: CredentialStore;
  readonly leaseMs: number[];
  readonly renewals: number[];
  readonly releases: LeaseOutcome[];
}

function record(answers: { renew?: () => Promise<boolean>; release?: () => Promise<void> } = {}): Recorded {
  const recorded = { leaseMs: [] as number[], renewals: [] as number[], releases: [] as LeaseOutcome[] };
  const lease: Lease = {
    credential: {
      id: 'c-1',
      kind: 'user',
      token: 't',
      userId: 'u',
      userName: '',
      createdAtMs: 0,
      expiresAtMs: Infinity,
      concurrency: 1,
    },
    fence: 1,
    release(outcome) {
      recorded.releases.push(outcome);
      return answers.release?.() ?? Promise.resolve();
    },
  };
  const store: Partial<CredentialStore> = {
    lease(request) {
      recorded.leaseMs.push(request.leaseMs);
      return Promise.resolve(lease);
    },
    renew(_lease, leaseMs) {
      recorded.renewals.push(leaseMs);
      return answers.renew?.() ?? Promise.resolve(true);
    },
  };
  return { ...recorded, store: store as CredentialStore };
}

function recordWarnings() {
  const warnings: unknown[][] = [];
  return { logger: { warn: (...entry: unknown[]): unknown => warnings.push(entry) }, warnings };
}

describe('a kept lease', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is renewed three times within its time, until it is released', async () => {
    const { store, leaseMs, renewals } = record();
    const kept = await keepLease(store, wanted);
    expect(leaseMs).toEqual([60_000]);
    await jest.advanceTimersByTimeAsync(19_999);
    expect(renewals).toEqual([]);
    await jest.advanceTimersByTimeAsync(40_001);
    expect(renewals).toEqual([60_000, 60_000, 60_000]);
    await kept.release({ result: 'good' });
    jest.advanceTimersByTime(3_600_000);
    expect(renewals).toHaveLength(3);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is released once, with the first outcome', async () => {
    const { store, releases } = record();
    const kept = await keepLease(store, wanted);
    await Promise.all([kept.release({ result: 'dead' }), kept.release({ result: 'good' })]);
    expect(releases).toEqual([{ result: 'dead' }]);
  });

  it('reports renewals and releases that fail, and never rejects', async () => {
    const { logger, warnings } = recordWarnings();
    const { store } = record({
      renew: () => Promise.reject(new Error('renew')),
      release: () => Promise.reject(new Error('release')),
    });
    const kept = await keepLease(store, { ...request, logger });
    await jest.advanceTimersByTimeAsync(20_000);
    await kept.release({ result: 'good' });
    expect(warnings).toEqual([
      [{ err: new Error('renew'), credential: 'c-1' }, 'could not renew the lease'],
      [{ err: new Error('release'), credential: 'c-1' }, 'could not release the lease'],
    ]);
  });

  it('is asked for sooner again while the store is away, and nobody is told', async () => {
    const { logger, warnings } = recordWarnings();
    const unavailable = new TurnError('no_capacity', 'x', { layer: 'pool', reason: 'store_unavailable' });
    const { store, renewals } = record({ renew: () => Promise.reject(unavailable) });
    const kept = await keepLease(store, { ...request, logger });
    await jest.advanceTimersByTimeAsync(60_000);
    expect([renewals.length, warnings, kept.lost.aborted]).toEqual([9, [], false]);
    await kept.release({ result: 'good' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('says that it is lost when it is somebody else’s, and asks no more', async () => {
    const { store, renewals } = record({ renew: () => Promise.resolve(false) });
    const { lost } = await keepLease(store, wanted);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(renewals).toHaveLength(1);
    expect(lost.reason).toMatchObject({
      code: 'no_capacity',
      details: { reason: 'lease_lost', layer: 'pool', recovery: 'other-credential' },
    });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is not lost by a renewal that crossed its release', async () => {
    const answer = Promise.withResolvers<boolean>();
    const { store } = record({ renew: () => answer.promise });
    const kept = await keepLease(store, wanted);
    await jest.advanceTimersByTimeAsync(20_000);
    await kept.release({ result: 'good' });
    answer.resolve(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect([kept.lost.aborted, jest.getTimerCount()]).toEqual([false, 0]);
  });

  it('leaves no timer when there is no credential', async () => {
    const refusal = new TurnError('no_capacity', 'x', { layer: 'pool' });
    const store = { ...record().store, lease: () => Promise.reject(refusal) };
    await expect(keepLease(store, wanted)).rejects.toBe(refusal);
    expect(jest.getTimerCount()).toBe(0);
  });
});
