import { setTimeout as wait } from 'node:timers/promises';
import {
  createChatTranslator,
  openResponseStore,
  openSharedCredentials,
  type MediaGuardOptions,
} from '@zai2api/chat-translator';
import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import { createGateway, openRateLimiter, resolveGatewaySettings } from '@zai2api/gateway';
import {
  createRuntime,
  isRedisConfigured,
  listen,
  readPackageVersion,
  webProfileOf,
  type Logger,
  type RunningServer,
} from '@zai2api/runtime';
import { createIntervalSchedule, createTokenRefresher, openSharedRefill } from '@zai2api/token-refresher';
import type { StandaloneSettings } from './config.ts';

/** Gateway, translator and refresher in one process, on a store in memory, or on a Redis that several of them share. */
export interface Standalone {
  /** Serves until it is stopped; rejects when it cannot start. */
  run(): Promise<void>;
  /** Resolves when the public port answers. */
  readonly listening: Promise<{ readonly url: string; readonly adminUrl: string }>;
  /** Ordered stop; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/** The pool is warm before the first request, but an upstream that does not answer must not keep the port closed. */
const MAX_WARM_UP_MS = 5_000;
/** How often a shared pool is looked at meanwhile. */
const LOOK_MS = 200;

/** What a process does not take from its environment. */
export interface StandaloneOptions {
  readonly logger?: Logger;
  /** For tests: lets the translator fetch attachments from hosts that are not public. */
  readonly mediaGuard?: Omit<MediaGuardOptions, 'allowHttp'>;
}

/** Wires the three services. Throws a ConfigError where the settings contradict each other; nothing runs before `run`. */
export function createStandalone(
  settings: StandaloneSettings,
  { mediaGuard, ...options }: StandaloneOptions = {},
): Standalone {
  const gatewaySettings = resolveGatewaySettings(settings);
  const runtime = createRuntime({
    name: 'standalone',
    version: readPackageVersion(import.meta.url),
    settings,
    // Who keeps the service to this machine means its probes and metrics, too.
    ...(gatewaySettings.isLoopback ? { adminHost: gatewaySettings.host } : {}),
    ...options,
  });
  const { logger, registry } = runtime;
  // Ready as soon as it serves. No check looks at the pool or the upstream: when the upstream challenges us, every replica has an empty pool,
  // and taking the only pod out of service would turn typed errors, with their Retry-After, into refused connections.
  const profile = webProfileOf(settings);
  const usesWeb = settings.ZAI_UPSTREAMS.includes('web');
  const isShared = isRedisConfigured(settings);
  const store = isShared
    ? openSharedCredentials(settings, runtime)
    : createMemoryCredentialStore({ now: () => Date.now() });
  const responses = openResponseStore(settings, runtime);
  const sharedRefill = isShared && usesWeb ? openSharedRefill(settings, logger) : undefined;
  const refresher = createTokenRefresher({
    settings,
    profile,
    store,
    ...(sharedRefill ?? {
      schedule: createIntervalSchedule({ intervalMs: settings.ZAI_REFRESH_INTERVAL * 1000, logger }),
    }),
    logger,
    registry,
  });
  const translator = createChatTranslator({
    settings,
    profile,
    runtime,
    credentials: usesWeb ? store : undefined,
    responses,
    mediaGuard,
    checksEvents: settings.ZAI_DEBUG_MODE,
  });
  const rateLimiter = openRateLimiter(gatewaySettings.requestsPerMinute, settings, runtime);
  const gateway = createGateway({ settings: gatewaySettings, runtime, backend: translator.middleware, rateLimiter });
  const listening = Promise.withResolvers<{ url: string; adminUrl: string }>();

  async function warmPool(deadline: AbortSignal): Promise<void> {
    const isWarm = new AbortController();
    const signal = AbortSignal.any([deadline, isWarm.signal]);
    // It may be another process that fills a shared pool.
    const filled = isShared ? [untilReady(store, signal)] : [];
    await Promise.race([refresher.warm(signal), ...filled]).catch(() =>
      logger.warn('the token pool is not warm yet; serving all the same'),
    );
    isWarm.abort();
  }

  async function warm(): Promise<void> {
    const deadline = AbortSignal.timeout(MAX_WARM_UP_MS);
    if (usesWeb) await warmPool(deadline);
    await translator.warm(deadline);
  }

  async function start(): Promise<void> {
    runtime.onStop('workers', 'token refresher', () => refresher.stop());
    runtime.onStop('stores', 'credentials', () => store.close());
    runtime.onStop('stores', 'responses', () => responses.close());
    runtime.onStop('stores', 'refill', async (deadline) => sharedRefill?.close(deadline));
    // Nobody asks for tokens that nobody uses.
    if (usesWeb) refresher.start();
    await warm();
    const server = await listen(gateway.callback, {
      ...gatewaySettings,
      draining: runtime.draining,
      upgrade: gateway.upgrade,
    });
    runtime.onStop('servers', 'public port', (deadline) => server.stop(deadline));
    if (gatewaySettings.openNotice !== undefined) logger.warn(gatewaySettings.openNotice);
    const url = urlOf(server);
    logger.info({ url, upstream: profile.base }, 'listening');
    listening.resolve({ url, adminUrl: `http://127.0.0.1:${runtime.adminPort}` });
  }

  return {
    run: () => runtime.run(start),
    listening: listening.promise,
    stop: () => runtime.stop('asked to'),
  };
}

/** Resolves when a turn could begin. Rejects when the signal aborts before. */
async function untilReady(store: CredentialStore, signal: AbortSignal): Promise<void> {
  for (;;) {
    const counts = await store.counts().catch(() => undefined);
    if (counts && counts.guest.ready + counts.user.ready > 0) return;
    await wait(LOOK_MS, undefined, { signal });
  }
}

function urlOf({ host, port }: RunningServer): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}
