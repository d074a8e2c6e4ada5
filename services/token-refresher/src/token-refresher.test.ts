import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import { ConfigError, createLogger, parseSettings } from '@zai2api/runtime';
import { Registry } from 'prom-client';
import { tokenRefresherSettings } from './config.ts';
import { createIntervalSchedule } from './interval-schedule.ts';
import { createTokenRefresher, type TokenRefresher } from './token-refresher.ts';

const never = new AbortController().signal;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function createKit(answer: Answer, env: Record<string, string> = {}) {
  const base = await serve(answer);
  const store: CredentialStore = createMemoryCredentialStore({ now: () => Date.now() });
  const registry = new Registry();
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  const settings = parseSettings(tokenRefresherSettings, env);
  const refresher: TokenRefresher = createTokenRefresher({
    settings,
    profile: {
      base,
      signingSecret: 'secret',
      userAgent: 'Browser/1.0',
      language: 'en-US',
      timeZone: 'Europe/Berlin',
      region: 'overseas',
      deviceId: 'device',
    },
    store,
    schedule: createIntervalSchedule({ intervalMs: settings.ZAI_REFRESH_INTERVAL * 1000, logger, minGapMs: 1 }),
    logger,
    registry,
  });
  closers.push(async () => {
    await refresher.stop();
    await store.close();
  });
  return { refresher, store, registry };
}

/** Each call gets another guest. */
function createGuests(): Answer {
  let count = 0;
  return (_request, response) => {
    const id = `guest-${++count}`;
    response.end(JSON.stringify({ id, token: `token-${id}`, role: 'guest' }));
  };
}

const lease = (store: CredentialStore, waitMs = 5_000) => store.lease({ signal: never, waitMs, leaseMs: 60_000 });

describe('createTokenRefresher', () => {
  it('does nothing before it is started', async () => {
    let calls = 0;
    const { refresher, store } = await createKit(() => calls++);
    await refresher.stop();
    await refresher.warm(never);
    expect(calls).toBe(0);
    expect((await store.counts()).guest.total).toBe(0);
  });

  it('warms the pool', async () => {
    const { refresher, store } = await createKit(createGuests());
    refresher.start();
    await refresher.warm(never);
    expect((await store.counts()).guest.ready).toBe(3);
  });

  it('stops waiting for a filled pool when its signal aborts', async () => {
    const { refresher } = await createKit(() => undefined);
    refresher.start();
    await expect(refresher.warm(AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(refresher.warm(AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping');
  });

  it('ends warming when nothing comes in, and refuses turns with the reason', async () => {
    const { refresher, store } = await createKit((_request, response) => response.writeHead(405).end('<!doctypehtml>'));
    refresher.start();
    await refresher.warm(never);
    await expect(lease(store)).rejects.toMatchObject({ code: 'upstream_blocked' });
  });

  it('replaces a dead guest on demand, long before its interval', async () => {
    const { refresher, store } = await createKit(createGuests(), {
      ZAI_ANON_POOL_SIZE: '1',
      ZAI_REFRESH_INTERVAL: '3600',
    });
    refresher.start();
    const first = await lease(store);
    await first.release({ result: 'dead' });
    const second = await lease(store);
    expect(second.credential.id).not.toBe(first.credential.id);
  });

  it('with guests off never asks for one, and says that there is nothing to wait for', async () => {
    let calls = 0;
    const { refresher, store, registry } = await createKit(() => calls++, { ZAI_ANON_TOKEN_ENABLED: 'false' });
    refresher.start();
    await refresher.warm(never);
    await expect(lease(store)).rejects.toMatchObject({ code: 'no_capacity', details: { reason: 'no_credentials' } });
    expect(calls).toBe(0);
    expect(await registry.metrics()).toContain('zai_pool_state{state="unsupplied"} 1');
  });

  it('with guests off uses a user token, until it dies', async () => {
    let isAlive = true;
    const { refresher, store } = await createKit(
      (request, response) =>
        isAlive
          ? response.end(JSON.stringify({ id: 'ada', role: 'user', token: 'opaque' }))
          : createGuests()(request, response),
      { ZAI_ANON_TOKEN_ENABLED: 'false', ZAI_UPSTREAM_TOKEN: 'opaque', ZAI_UPSTREAM_TOKEN_CONCURRENCY: '1' },
    );
    refresher.start();
    await refresher.warm(never);
    const held = await lease(store);
    expect(held.credential).toMatchObject({ kind: 'user', userId: 'ada' });
    isAlive = false;
    const waiting = lease(store);
    await held.release({ result: 'dead' });
    await expect(waiting).rejects.toMatchObject({ code: 'no_capacity', details: { reason: 'no_credentials' } });
    expect(await store.counts()).toMatchObject({ user: { total: 0 }, guest: { total: 0 } });
  });

  it('aborts its calls when it stops', async () => {
    const called = Promise.withResolvers<undefined>();
    const closed = Promise.withResolvers<undefined>();
    const { refresher } = await createKit((_request, response) => {
      response.once('close', () => closed.resolve(undefined));
      called.resolve(undefined);
    });
    refresher.start();
    await called.promise;
    await refresher.stop();
    await closed.promise;
    await refresher.stop();
    await refresher.warm(never);
  });

  it('shows the pool on the registry, also when the store fails', async () => {
    const { refresher, store, registry } = await createKit(createGuests());
    refresher.start();
    await refresher.warm(never);
    await lease(store);
    const text = await registry.metrics();
    expect(text).toContain('zai_credentials{kind="guest",state="ready"} 2');
    expect(text).toContain('zai_credentials{kind="guest",state="leased"} 1');
    expect(text).toContain('zai_refresher_mints_total{outcome="minted"} 3');
    expect(text).toContain('zai_pool_state{state="ok"} 1');
    expect(text).toMatch(/zai_refresher_ticks_total\{outcome="done"\} [1-9]/);
    store.counts = () => Promise.reject(new Error('the store is away'));
    expect(await registry.metrics()).not.toContain('zai_credentials{');
  });

  it('refuses a user token that cannot be sent', async () => {
    await expect(createKit(() => undefined, { ZAI_UPSTREAM_TOKEN: 'two words' })).rejects.toThrow(ConfigError);
  });
});
