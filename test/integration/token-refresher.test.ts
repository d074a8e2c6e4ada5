import { afterEach, describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import { createLogger, parseSettings, Registry } from '@zai2api/runtime';
import {
  createIntervalSchedule,
  createTokenRefresher,
  tokenRefresherSettings,
  type TokenRefresher,
} from '@zai2api/token-refresher';
import { startFakeUpstream, type FakeUpstream, type FakeUpstreamSettings } from '../fake-upstream/index.ts';

const never = new AbortController().signal;
const WITHIN_MS = 5_000;
const isAuth = ({ method, path }: { method: string; path: string }): boolean =>
  method === 'GET' && path === '/api/v1/auths/';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Kit {
  readonly upstream: FakeUpstream;
  readonly store: CredentialStore;
  readonly registry: Registry;
  readonly lines: { level: string; msg: string; state?: string }[];
  /** A clock for store and refresher that the test may push forward. */
  readonly pushClock: (milliseconds: number) => void;
  readonly start: (env?: Record<string, string>) => Promise<TokenRefresher>;
  readonly lease: (waitMs?: number) => ReturnType<CredentialStore['lease']>;
}

async function createKit(settings: Partial<FakeUpstreamSettings> = {}): Promise<Kit> {
  const upstream = await startFakeUpstream({ settings });
  closers.push(() => upstream.close());
  let offsetMs = 0;
  const now = (): number => Date.now() + offsetMs;
  const store = createMemoryCredentialStore({ now });
  closers.push(() => store.close());
  const registry = new Registry();
  const lines: Kit['lines'] = [];
  const logger = createLogger(
    { name: 'test', level: 'debug', format: 'json' },
    { write: (line: string) => void lines.push(JSON.parse(line) as Kit['lines'][number]) },
  );
  return {
    upstream,
    store,
    registry,
    lines,
    pushClock: (milliseconds) => void (offsetMs += milliseconds),
    async start(env = {}) {
      const parsed = parseSettings(tokenRefresherSettings, {
        ZAI_REFRESH_INTERVAL: '3600',
        ZAI_REQUEST_TIMEOUT: '5',
        ...env,
      });
      const refresher = createTokenRefresher({
        settings: parsed,
        profile: {
          base: upstream.url,
          signingSecret: 'unused here',
          userAgent: 'Browser/1.0',
          language: 'en-US',
          timeZone: 'Europe/Berlin',
          region: 'overseas',
          deviceId: 'device',
        },
        store,
        schedule: createIntervalSchedule({ intervalMs: parsed.ZAI_REFRESH_INTERVAL * 1000, logger, minGapMs: 1 }),
        logger,
        registry,
        now,
      });
      closers.push(() => refresher.stop());
      refresher.start();
      await refresher.warm(AbortSignal.timeout(WITHIN_MS));
      return refresher;
    },
    lease: (waitMs = WITHIN_MS) => store.lease({ signal: never, waitMs, leaseMs: 60_000 }),
  };
}

describe('the token refresher on a simulated upstream', () => {
  it('warms the pool with different guests, asked for without identity', async () => {
    const { upstream, store, start } = await createKit();
    await start();
    expect((await store.counts()).guest).toMatchObject({ ready: 3, total: 3 });
    const requests = upstream.log.filter(isAuth);
    expect(requests).toHaveLength(3);
    for (const { headers } of requests) {
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty('cookie');
      expect(headers).toMatchObject({ 'user-agent': 'Browser/1.0', origin: upstream.url, referer: `${upstream.url}/` });
    }
    expect(new Set(upstream.issuedTokens().map(({ userId }) => userId)).size).toBe(3);
  });

  it.each([
    ['waf', 'upstream_blocked'],
    ['405', 'upstream_drifted'],
    ['429', 'upstream_busy'],
    ['429-html', 'upstream_busy'],
    ['401', 'upstream_forbidden'],
    ['403', 'upstream_forbidden'],
    ['403-challenge', 'upstream_challenged'],
    ['404', 'upstream_drifted'],
    ['500', 'upstream_failed'],
    ['503', 'upstream_failed'],
    ['reset', 'upstream_failed'],
    ['not-json', 'upstream_blocked'],
    ['empty-object', 'upstream_drifted'],
  ] as const)('is warm at once and refuses turns when every session call ends with %s', async (authFault, code) => {
    const { upstream, store, lines, start, lease } = await createKit({ authFault });
    await start();
    await expect(lease()).rejects.toMatchObject({ code });
    await expect(lease()).rejects.toMatchObject({ code });
    expect(upstream.log.filter(isAuth)).toHaveLength(3);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect((await store.counts()).waiting).toBe(0);
  });

  it('gives a hanging upstream the request timeout and no more', async () => {
    const { start, lease } = await createKit({ authFault: 'hang' });
    await start({ ZAI_REQUEST_TIMEOUT: '0.1' });
    await expect(lease()).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });

  it('leaves a hanging upstream at once when it stops', async () => {
    const { upstream, store, start } = await createKit();
    const refresher = await start({ ZAI_REQUEST_TIMEOUT: '60', ZAI_ANON_POOL_SIZE: '1' });
    upstream.configure({ authFault: 'hang' });
    const before = upstream.log.length;
    const lease = await store.lease({ signal: never, waitMs: 0, leaseMs: 60_000 });
    await lease.release({ result: 'dead' });
    const hanging = await upstream.waitForRequest((request) => isAuth(request) && request.id > before, WITHIN_MS);
    await refresher.stop();
    await upstream.waitForAbort(({ id }) => id === hanging.id, WITHIN_MS);
  });

  it('recovers by itself after a hiccup', async () => {
    const { store, start, lease } = await createKit({ authFault: 'reset', authFailTimes: 3 });
    await start();
    expect(await store.poolState()).toMatchObject({ state: 'failing' });
    await expect(lease(0)).rejects.toMatchObject({ code: 'upstream_failed' });
    const { promise: recovered, resolve } = Promise.withResolvers<undefined>();
    const setPoolState = store.setPoolState.bind(store);
    store.setPoolState = async (state) => {
      await setPoolState(state);
      if (state.state === 'ok') resolve(undefined);
    };
    await recovered;
    expect((await lease()).credential.kind).toBe('guest');
  });

  it('replaces expired guests and deletes their chats', async () => {
    const { upstream, store, pushClock, start, lease } = await createKit();
    await start({ ZAI_AUTH_TOKEN_CACHE_TTL: '60' });
    const old = new Set(upstream.issuedTokens().map(({ userId }) => userId));
    pushClock(61_000);
    const { credential } = await lease();
    expect(old).not.toContain(credential.userId);
    for (const userId of old) {
      await upstream.waitForRequest(
        ({ method, path, tokenUserId }) => method === 'DELETE' && path === '/api/v1/chats/' && tokenUserId === userId,
        WITHIN_MS,
      );
    }
    expect((await store.counts()).guest.expired).toBe(0);
  });

  it('fills the pool although old chats cannot be deleted', async () => {
    const { pushClock, start, lease } = await createKit({ chatDeleteFault: 'hang' });
    const refresher = await start({ ZAI_AUTH_TOKEN_CACHE_TTL: '60' });
    pushClock(61_000);
    await lease();
    await refresher.stop();
  });

  describe('with a user token', () => {
    it('prefers it, and its rotated form', async () => {
      const { upstream, start, lease } = await createKit({ rotateUserTokens: true });
      const { token, userId } = upstream.addUserToken();
      await start({ ZAI_UPSTREAM_TOKEN: token });
      const { credential } = await lease();
      expect(credential).toMatchObject({ kind: 'user', userId, userName: 'Ada' });
      expect(credential.token).not.toBe(token);
      expect(upstream.issuedTokens()).toContainEqual({ token: credential.token, userId, role: 'user' });
    });

    it.each(['guest', '401'] as const)(
      'that is dead (answered with %s) uses guests instead, and says so without telling it',
      async (deadTokenAnswer) => {
        const { upstream, store, registry, lines, start } = await createKit({ deadTokenAnswer });
        const { token } = upstream.addUserToken();
        upstream.revokeToken(token);
        await start({ ZAI_UPSTREAM_TOKEN: token });
        expect(await store.counts()).toMatchObject({ user: { total: 0 }, guest: { ready: 3 } });
        expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
        const outcome = deadTokenAnswer === 'guest' ? 'downgraded' : 'refused';
        expect(await registry.metrics()).toContain(`zai_refresher_user_checks_total{outcome="${outcome}"} 1`);
        const printed = JSON.stringify(lines);
        for (const issued of upstream.issuedTokens()) expect(printed).not.toContain(issued.token);
      },
    );

    it('that dies while guests are off is a typed refusal and never a guest', async () => {
      const { upstream, store, start, lease } = await createKit();
      const { token } = upstream.addUserToken();
      await start({ ZAI_UPSTREAM_TOKEN: token, ZAI_ANON_TOKEN_ENABLED: 'false' });
      const running = await lease();
      upstream.revokeToken(token);
      await running.release({ result: 'dead' });
      await expect(lease()).rejects.toMatchObject({ code: 'no_capacity', details: { reason: 'no_credentials' } });
      expect(await store.counts()).toMatchObject({ user: { total: 0 }, guest: { total: 0 } });
      expect(upstream.log.filter(isAuth).every(({ headers }) => headers['authorization'] !== undefined)).toBe(true);
    });

    it.each(['waf', '429', '500', 'reset'] as const)(
      'that cannot be checked (%s) is used as it is',
      async (authFault) => {
        const { upstream, start, lease } = await createKit({ authFault });
        const { token, userId } = upstream.addUserToken();
        await start({ ZAI_UPSTREAM_TOKEN: token });
        expect((await lease()).credential).toMatchObject({ kind: 'user', token, userId });
      },
    );
  });
});
