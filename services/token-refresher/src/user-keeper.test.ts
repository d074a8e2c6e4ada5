import { describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type Credential, type CredentialStore } from '@zai2api/credentials';
import type { WebIdentity } from '@zai2api/dialects';
import { createLogger, parseSettings } from '@zai2api/runtime';
import { TurnError, type ErrorCode } from '@zai2api/turn';
import { Registry } from 'prom-client';
import { tokenRefresherSettings } from './config.ts';
import { createRefresherMetrics } from './metrics.ts';
import { createMemoryTickStateStore } from './memory-tick-state-store.ts';
import type { TickStateStore } from './tick-state-store.ts';
import { createUserKeeper, type UserKeeper } from './user-keeper.ts';
import { parseUserTokens, type UserToken } from './user-tokens.ts';

const never = new AbortController().signal;
const jwt = (claims: unknown, signature = 'sig'): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
const ada = jwt({ id: 'ada', email: 'ada@example.org' });
const bob = jwt({ id: 'bob', email: 'bob@example.org' });

const user = (userId: string, token: string): WebIdentity => ({ userId, token, role: 'user', name: 'Ada', email: '' });
const newGuest: WebIdentity = {
  userId: 'new',
  token: 'guest-token',
  role: 'guest',
  name: 'Guest-1',
  email: 'guest-1@guest.com',
};
const failure = (code: ErrorCode, reason?: string): TurnError =>
  new TurnError(code, `it is ${code}`, { layer: 'upstream', ...(reason === undefined ? {} : { reason }) });

interface Kit {
  readonly keeper: UserKeeper;
  /** One more on the same stores, as in another replica. */
  readonly createKeeper: () => UserKeeper;
  /** From now on these tokens are configured. */
  readonly configure: (...tokens: string[]) => void;
  readonly store: CredentialStore;
  readonly stateStore: TickStateStore;
  readonly ids: readonly string[];
  readonly lines: { level: string; msg: string }[];
  readonly asked: string[];
  answer: (token: string) => Promise<WebIdentity>;
  nowMs: number;
  leaseToken(): Promise<Credential>;
  outcomes(): Promise<Record<string, number>>;
}

function createKit(...configured: string[]): Kit {
  const settings = parseSettings(tokenRefresherSettings, {});
  const lines: Kit['lines'] = [];
  const logger = createLogger(
    { name: 'test', level: 'info', format: 'json' },
    { write: (line: string) => void lines.push(JSON.parse(line) as Kit['lines'][number]) },
  );
  const now = (): number => kit.nowMs;
  const store = createMemoryCredentialStore({ now, startTimer: () => () => undefined });
  const registry = new Registry();
  const stateStore = createMemoryTickStateStore();
  const metrics = createRefresherMetrics({ registry, store });
  const parse = (texts: readonly string[]): UserToken[] => parseUserTokens(texts.join(','), 'ZAI_UPSTREAM_TOKEN');
  let tokens = parse(configured);
  const ids = tokens.map(({ id }) => id);
  const asked: string[] = [];
  const createKeeper = (): UserKeeper =>
    createUserKeeper({
      tokens: () => tokens,
      settings,
      store,
      stateStore,
      fetchIdentity: ({ token = '' }) => {
        asked.push(token);
        return kit.answer(token);
      },
      metrics,
      logger,
      now,
      random: () => 0,
    });
  const kit: Kit = {
    keeper: createKeeper(),
    createKeeper,
    configure: (...next) => void (tokens = parse(next)),
    store,
    stateStore,
    ids,
    lines,
    asked,
    answer: (token) => Promise.resolve(user(token === bob ? 'bob' : 'ada', token)),
    nowMs: 1_760_000_000_000,
    async leaseToken() {
      const lease = await store.lease({ signal: never, waitMs: 0, leaseMs: 1_000 });
      await lease.release({ result: 'good' });
      return lease.credential;
    },
    async outcomes() {
      const metric = await registry.getSingleMetric('zai_refresher_user_checks_total')?.get();
      return Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [String(labels['outcome']), value]));
    },
  };
  return kit;
}

describe('createUserKeeper', () => {
  it('has nothing to do without tokens', async () => {
    const kit = createKit();
    expect(await kit.keeper.check(never)).toEqual({ usable: 0 });
    expect(kit.asked).toEqual([]);
  });

  it('puts valid tokens in and checks them again after the interval', async () => {
    const kit = createKit(ada, bob);
    expect(await kit.keeper.check(never)).toEqual({ usable: 2, nextAtMs: kit.nowMs + 300_000 });
    expect(await kit.leaseToken()).toMatchObject({
      kind: 'user',
      userName: 'Ada',
      expiresAtMs: Infinity,
      concurrency: 3,
    });
    kit.nowMs += 299_999;
    await kit.keeper.check(never);
    expect(kit.asked).toEqual([ada, bob]);
    kit.nowMs += 1;
    await kit.keeper.check(never);
    expect(kit.asked).toEqual([ada, bob, ada, bob]);
    expect(kit.lines.map(({ level }) => level)).toEqual(['info', 'info']);
    expect(await kit.outcomes()).toEqual({ valid: 4 });
  });

  it('uses a rotated token in place of the old one, and asks with it', async () => {
    const kit = createKit(ada);
    const rotated = jwt({ id: 'ada', email: 'ada@example.org' }, 'rotated');
    kit.answer = () => Promise.resolve(user('ada', rotated));
    await kit.keeper.check(never);
    expect(await kit.leaseToken()).toMatchObject({ id: kit.ids[0], token: rotated });
    kit.nowMs += 300_000;
    await kit.keeper.check(never);
    expect(kit.asked).toEqual([ada, rotated]);
    expect((await kit.store.counts()).user.total).toBe(1);
    expect(await kit.outcomes()).toEqual({ rotated: 1, valid: 1 });
  });

  it('goes back to the configured token when the rotated one has died', async () => {
    const kit = createKit(ada);
    const rotated = jwt({ id: 'ada' }, 'rotated');
    kit.answer = () => Promise.resolve(user('ada', rotated));
    await kit.keeper.check(never);
    kit.answer = (token) => Promise.resolve(token === ada ? user('ada', ada) : newGuest);
    kit.nowMs += 300_000;
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 1 });
    expect(await kit.leaseToken()).toMatchObject({ token: ada });
  });

  it.each<[string, () => Promise<WebIdentity>, string]>([
    ['is silently answered with a new guest', () => Promise.resolve(newGuest), 'downgraded'],
    ['turns out to be somebody else’s', () => Promise.resolve(user('eve', ada)), 'downgraded'],
    ['is refused with 401', () => Promise.reject(failure('upstream_failed', 'upstream_unauthorized')), 'refused'],
    ['is refused with 403', () => Promise.reject(failure('upstream_forbidden')), 'refused'],
  ])('takes a token out that %s, says so once, and hardly asks again', async (_name, answer, outcome) => {
    const kit = createKit(ada);
    await kit.keeper.check(never);
    kit.answer = answer;
    kit.nowMs += 300_000;
    expect(await kit.keeper.check(never)).toEqual({ usable: 0, nextAtMs: kit.nowMs + 3_600_000 });
    expect((await kit.store.counts()).user.total).toBe(0);
    kit.nowMs += 3_600_000;
    await kit.keeper.check(never);
    expect(kit.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(kit.lines.at(-1)?.msg).toContain('ZAI_UPSTREAM_TOKEN');
    expect(await kit.outcomes()).toEqual({ valid: 1, [outcome]: 2 });
    expect(JSON.stringify(kit.lines)).not.toContain(ada);
  });

  it('never puts a token in that was dead from the start, and never its guest', async () => {
    const kit = createKit(ada);
    kit.answer = () => Promise.resolve(newGuest);
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 0 });
    expect(await kit.store.counts()).toMatchObject({ user: { total: 0 }, guest: { total: 0 } });
  });

  it.each([
    'upstream_unreachable',
    'upstream_timeout',
    'upstream_blocked',
    'upstream_busy',
    'upstream_failed',
    'upstream_drifted',
    'upstream_challenged',
  ] as const)('uses a token as it is when the check ends with %s, and asks again later', async (code) => {
    const kit = createKit(ada);
    kit.answer = () => Promise.reject(failure(code));
    const { usable, nextAtMs = 0 } = await kit.keeper.check(never);
    expect(usable).toBe(1);
    expect(nextAtMs).toBeGreaterThan(kit.nowMs);
    expect(await kit.leaseToken()).toMatchObject({ token: ada, userId: 'ada' });
    await kit.keeper.check(never);
    expect(kit.asked).toHaveLength(1);
    kit.nowMs = nextAtMs;
    await kit.keeper.check(never);
    expect(kit.lines).toHaveLength(1);
    kit.answer = (token) => Promise.resolve(user('ada', token));
    kit.nowMs += 900_000;
    await kit.keeper.check(never);
    expect(kit.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it('does not use an unreadable token before it was checked', async () => {
    const kit = createKit('opaque');
    kit.answer = () => Promise.reject(failure('upstream_unreachable'));
    const { usable, nextAtMs = 0 } = await kit.keeper.check(never);
    expect(usable).toBe(0);
    expect((await kit.store.counts()).user.total).toBe(0);
    kit.nowMs = nextAtMs;
    kit.answer = () => Promise.resolve(user('ada', 'opaque'));
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 1 });
    kit.answer = () => Promise.resolve(user('eve', 'opaque'));
    kit.nowMs += 300_000;
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 0 });
  });

  it('says so when a configured token is a guest’s, and uses it', async () => {
    const kit = createKit(jwt({ id: 'new', email: 'guest-1@guest.com' }));
    kit.answer = (token) => Promise.resolve({ ...newGuest, token });
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 1 });
    expect(kit.lines.map(({ level }) => level)).toEqual(['info', 'warn']);
  });

  it('checks at once when a turn found a token dead, and puts a good one back ever more slowly', async () => {
    const kit = createKit(ada);
    await kit.keeper.check(never);
    const checksAtSeconds: number[] = [];
    const startMs = kit.nowMs;
    for (let second = 0; second < 300; second++) {
      const [id = ''] = kit.ids;
      await kit.store.remove(id);
      const before = kit.asked.length;
      await kit.keeper.check(never);
      if (kit.asked.length > before) checksAtSeconds.push((kit.nowMs - startMs) / 1000);
      kit.nowMs += 1_000;
    }
    expect(checksAtSeconds).toEqual([0, 60, 180]);
    expect((await kit.store.counts()).user.total).toBe(0);
  });

  it('asks about the one of several tokens that a turn found dead, and no other', async () => {
    const kit = createKit(ada, bob);
    await kit.keeper.check(never);
    kit.nowMs += 1_000;
    const [, bobsId = ''] = kit.ids;
    await kit.store.remove(bobsId);
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 2 });
    expect(kit.asked).toEqual([ada, bob, bob]);
    expect(await kit.store.ids('user')).toHaveLength(2);
  });

  it('does not ask twice when replicas take turns, and each knows what the other found', async () => {
    const kit = createKit(ada, bob);
    const rotated = jwt({ id: 'ada' }, 'rotated');
    kit.answer = (token) => Promise.resolve(token === bob ? newGuest : user('ada', rotated));
    const other = kit.createKeeper();
    await kit.keeper.check(never);
    expect(await other.check(never)).toMatchObject({ usable: 1 });
    expect(kit.asked).toEqual([ada, bob]);
    kit.nowMs += 300_000;
    await other.check(never);
    expect(kit.asked).toEqual([ada, bob, rotated]);
    expect(await kit.outcomes()).toEqual({ rotated: 1, downgraded: 1, valid: 1 });
    expect(kit.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('takes out at once what is taken out of the configuration here, and checks what is new', async () => {
    const kit = createKit(ada);
    await kit.keeper.check(never);
    kit.configure(bob);
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 1 });
    expect(kit.asked).toEqual([ada, bob]);
    expect(await kit.leaseToken()).toMatchObject({ token: bob });
    expect((await kit.store.counts()).user.total).toBe(1);
    kit.configure();
    expect(await kit.keeper.check(never)).toEqual({ usable: 0 });
    expect((await kit.store.counts()).user.total).toBe(0);
    expect(await kit.keeper.check(never)).toEqual({ usable: 0 });
    expect(JSON.stringify(kit.lines)).not.toContain(ada);
  });

  it('leaves the token of a replica that is configured otherwise, until none has been for two minutes', async () => {
    const kit = createKit(ada);
    await kit.keeper.check(never);
    const other = kit.createKeeper();
    kit.configure(bob);
    expect(await other.check(never)).toMatchObject({ usable: 1 });
    expect((await kit.store.counts()).user.total).toBe(2);
    kit.nowMs += 119_999;
    await other.check(never);
    expect((await kit.store.counts()).user.total).toBe(2);
    kit.nowMs += 1;
    await other.check(never);
    expect((await kit.store.counts()).user.total).toBe(1);
    expect(kit.asked).toEqual([ada, bob]);
  });

  it('starts anew when the state is lost or cannot be read', async () => {
    const kit = createKit(ada);
    await kit.keeper.check(never);
    await kit.stateStore.write('users', '{"of":"another version"}');
    expect(await kit.keeper.check(never)).toMatchObject({ usable: 1 });
    expect(kit.asked).toEqual([ada, ada]);
  });

  it('ends with its signal and judges nobody', async () => {
    const kit = createKit(ada);
    const controller = new AbortController();
    kit.answer = () => {
      controller.abort(new Error('stopping'));
      return Promise.reject(new Error('aborted'));
    };
    await expect(kit.keeper.check(controller.signal)).rejects.toThrow('stopping');
    expect(await kit.outcomes()).toEqual({});
    expect(kit.lines).toEqual([]);
  });
});
