import { afterEach, beforeEach, expect } from '@jest/globals';
import type { Credential } from '../credential.ts';
import type { CredentialStore, Lease, LeaseRequest, PoolCounts } from '../credential-store.ts';

/** A store on a clock that stands still until the test moves it. */
export interface StoreUnderTest {
  readonly store: CredentialStore;
  now(): number;
  /** Moves the clock and lets what became due happen. */
  advance(milliseconds: number): Promise<void>;
  /** Closes the store and what is behind it. */
  close(): Promise<void>;
}

/** The longest that a test waits for an event. */
const EVENT_DEADLINE_MS = 5_000;

/** The promise, or a failure that names it when it does not settle in time. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
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

/** A new store for each test, and what the tests do with it. */
export interface StoreScene {
  readonly subject: StoreUnderTest;
  readonly store: CredentialStore;
  /** A guest for an hour and one turn, unless told otherwise. */
  readonly credential: (id: string, overrides?: Partial<Credential>) => Credential;
  readonly put: (...credentials: Credential[]) => Promise<void>;
  /** A request that waits for a minute and holds for ten. */
  readonly request: (overrides?: Partial<LeaseRequest>) => LeaseRequest;
  readonly leaseNow: (overrides?: Partial<LeaseRequest>) => Promise<Lease>;
  readonly idOf: (lease: Promise<Lease>) => Promise<string>;
  /** Resolves when the counts are as wanted. */
  readonly untilCounts: (isWanted: (counts: PoolCounts) => boolean) => Promise<void>;
  /** A lease request that is known to wait, as the last in the queue. */
  readonly leaseInLine: (overrides?: Partial<LeaseRequest>) => Promise<{ lease: Promise<Lease> }>;
  /** Matches a TurnError of this code that says when to come back. */
  readonly refusal: (code: string) => unknown;
}

/** Sets the scene for the tests of the `describe` block in which it is called. */
export function createStoreScene(makeStore: () => Promise<StoreUnderTest>): StoreScene {
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

  async function untilCounts(isWanted: (counts: PoolCounts) => boolean): Promise<void> {
    const endMs = performance.now() + EVENT_DEADLINE_MS;
    for (;;) {
      const counts = await store.counts();
      if (isWanted(counts)) return;
      if (performance.now() > endMs) throw new Error(`the counts stay ${JSON.stringify(counts)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

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

  return {
    get subject() {
      return subject;
    },
    get store() {
      return store;
    },
    credential,
    put,
    request,
    leaseNow,
    idOf,
    untilCounts,
    leaseInLine,
    refusal,
  };
}
