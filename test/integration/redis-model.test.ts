import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  createMemoryCredentialStore,
  type Credential,
  type CredentialStore,
  type Lease,
  type LeaseOutcome,
} from '@zai2api/credentials';
import { TurnError } from '@zai2api/turn';
import fc from 'fast-check';
import { createManualClock } from '../../libs/credentials/src/conformance/manual-clock.conformance.ts';
import { openRedisStore } from '../support/open-redis-store.ts';
import { randomPrefix, redisAccess, startRedis, type RedisServer } from '../support/start-redis.ts';

jest.setTimeout(120_000);

const CLIENTS = 3;
const never = new AbortController().signal;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

const client = fc.nat(CLIENTS - 1);
const id = fc.constantFrom('a', 'b', 'c', 'd');
const milliseconds = fc.constantFrom(1, 500, 1_000, 4_999, 5_000, 60_000);
const outcome: fc.Arbitrary<LeaseOutcome> = fc.oneof(
  fc.constant({ result: 'good' as const }),
  fc.constant({ result: 'dead' as const }),
  fc.record({ result: fc.constantFrom('busy' as const, 'challenged' as const), coolDownMs: milliseconds }),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('lease' as const),
      client,
      leaseMs: milliseconds,
      exclude: fc.uniqueArray(id, { maxLength: 2 }),
      kinds: fc.constantFrom(undefined, undefined, ['user' as const], ['guest' as const]),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(), outcome }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renew' as const), which: fc.nat(), leaseMs: milliseconds }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      client,
      id,
      token: fc.constantFrom('one', 'two'),
      concurrency: fc.integer({ min: 1, max: 3 }),
      livesMs: fc.constantFrom(Infinity, 5_000, 60_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), client, id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retire' as const), client }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: milliseconds }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('state' as const), client, isBad: fc.boolean(), forMs: milliseconds }),
  },
);

interface Pair {
  readonly real: Lease;
  readonly model: Lease;
}

/** Kind follows from the id, so that both stores see the same. */
const credentialOf = (name: string, nowMs: number, part: Partial<Credential>): Credential => ({
  id: name,
  kind: name === 'a' ? 'user' : 'guest',
  token: 'one',
  userId: name,
  userName: name,
  createdAtMs: nowMs,
  expiresAtMs: Infinity,
  concurrency: 1,
  ...part,
});

/** What a lease became, as far as it can be compared. */
async function resultOf(leasing: Promise<Lease>): Promise<{ lease?: Lease; said: unknown }> {
  try {
    const lease = await leasing;
    return { lease, said: lease.credential };
  } catch (error) {
    const { code, details } = TurnError.from(error);
    return { said: [code, details.reason, details.retryAfterSeconds] };
  }
}

describe('any history of three clients', () => {
  it('gives what one store in memory gives for it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const clock = createManualClock();
        const { settings } = redisAccess({ ...redis.env, REDIS_KEY_PREFIX: randomPrefix() });
        // Time is the model's; nobody waits, so no timer matters.
        const opened = await Promise.all(Array.from({ length: CLIENTS }, () => openRedisStore(settings, clock)));
        const stores = opened.map(({ store }) => store);
        const model = createMemoryCredentialStore(clock);
        const pairs: Pair[] = [];
        const onBoth = async (index: number, run: (store: CredentialStore) => Promise<unknown>): Promise<void> => {
          expect(await run(stores[index]!)).toEqual(await run(model));
        };
        try {
          for (const each of steps) {
            switch (each.do) {
              case 'lease': {
                const request = {
                  signal: never,
                  waitMs: 0,
                  leaseMs: each.leaseMs,
                  exclude: new Set(each.exclude),
                  ...(each.kinds && { kinds: new Set(each.kinds) }),
                };
                const real = await resultOf(stores[each.client]!.lease(request));
                const expected = await resultOf(model.lease(request));
                expect(real.said).toEqual(expected.said);
                if (real.lease && expected.lease) pairs.push({ real: real.lease, model: expected.lease });
                break;
              }
              case 'release':
              case 'renew': {
                const pair = pairs[each.which % Math.max(1, pairs.length)];
                if (!pair) break;
                if (each.do === 'renew') {
                  // Whoever holds a lease renews it where it was given.
                  const renewed = await Promise.all(stores.map((store) => store.renew(pair.real, each.leaseMs)));
                  expect(renewed.includes(true)).toBe(await model.renew(pair.model, each.leaseMs));
                } else {
                  await pair.real.release(each.outcome);
                  await pair.model.release(each.outcome);
                }
                break;
              }
              case 'put': {
                const nowMs = clock.now();
                const { token, concurrency, livesMs } = each;
                const put = credentialOf(each.id, nowMs, { token, concurrency, expiresAtMs: nowMs + livesMs });
                await onBoth(each.client, (store) => store.put(put));
                break;
              }
              case 'remove':
                await onBoth(each.client, (store) => store.remove(each.id));
                break;
              case 'retire':
                await onBoth(each.client, async (store) =>
                  (await store.retireExpired()).sort((one, other) => (one.id < other.id ? -1 : 1)),
                );
                break;
              case 'pass':
                await clock.advance(each.ms);
                break;
              case 'state': {
                const untilMs = clock.now() + each.forMs;
                const state = each.isBad
                  ? ({ state: 'blocked', untilMs, reason: 'x' } as const)
                  : ({ state: 'ok' } as const);
                await onBoth(each.client, (store) => store.setPoolState(state));
                break;
              }
            }
            for (const index of stores.keys()) await onBoth(index, (store) => store.counts());
            for (const kind of ['user', 'guest'] as const)
              await onBoth(0, async (store) => (await store.ids(kind)).sort());
          }
        } finally {
          await Promise.all([model.close(), ...opened.map((each) => each.close())]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('three clients at the same time', () => {
  const turn = fc.record({
    client,
    /** Turns of the event loop that it runs, or never ends. */
    runs: fc.oneof({ weight: 5, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.constant('crashes' as const) }),
    leaves: fc.boolean(),
    result: fc.constantFrom('good' as const, 'busy' as const),
  });

  it('never exceed a limit and lose no slot', async () => {
    const limits = { a: 1, b: 2, c: 3 };
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 20, maxLength: 80 }), async (turns) => {
        const { settings } = redisAccess({ ...redis.env, REDIS_KEY_PREFIX: randomPrefix() });
        const opened = await Promise.all(Array.from({ length: CLIENTS }, () => openRedisStore(settings)));
        const stores = opened.map(({ store }) => store);
        /** Deadlines of what runs, by credential: a crashed turn counts until its own. */
        const running = new Map<string, Set<{ untilMs: number }>>();
        let excess = 0;
        try {
          for (const [name, concurrency] of Object.entries(limits)) {
            await stores[0]!.put(credentialOf(name, Date.now(), { concurrency }));
          }
          const tasks = turns.map(async ({ client: index, runs, leaves, result }) => {
            const leaving = new AbortController();
            const leaseMs = runs === 'crashes' ? 60 : 10_000;
            const startedAtMs = performance.now();
            const leasing = stores[index]!.lease({ signal: leaving.signal, waitMs: 20_000, leaseMs });
            if (leaves && runs === 0) setImmediate(() => leaving.abort(new Error('left')));
            const lease = await leasing;
            const name = lease.credential.id as keyof typeof limits;
            const mine = running.get(name) ?? new Set();
            running.set(name, mine);
            // Its deadline cannot be earlier than this.
            const ours = { untilMs: runs === 'crashes' ? startedAtMs + leaseMs : Infinity };
            mine.add(ours);
            const nowMs = performance.now();
            excess = Math.max(excess, [...mine].filter(({ untilMs }) => untilMs > nowMs).length - limits[name]);
            if (runs === 'crashes') return;
            for (let left = runs; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
            mine.delete(ours);
            await lease.release(result === 'good' ? { result } : { result, coolDownMs: 3 });
          });
          const results = await Promise.allSettled(tasks);
          const failures = results.filter(({ status }) => status === 'rejected');
          for (const failure of failures) expect(failure).toMatchObject({ reason: { message: 'left' } });
          expect(excess).toBe(0);
          // Everything comes back: all slots can be taken at once.
          const slots = Object.values(limits).reduce((sum, limit) => sum + limit);
          const all = await Promise.all(
            Array.from({ length: slots }, (_, index) =>
              stores[index % CLIENTS]!.lease({ signal: never, waitMs: 5_000, leaseMs: 10_000 }),
            ),
          );
          expect(new Set(all.map(({ fence }) => fence)).size).toBe(slots);
        } finally {
          await Promise.all(opened.map((each) => each.close()));
        }
      }),
      { numRuns: 25 },
    );
  });
});
