import type { CredentialStore } from '@zai2api/credentials';
import type { WebProfile } from '@zai2api/dialects';
import { unlessAborted, type Logger, type Registry } from '@zai2api/runtime';
import { Agent } from 'undici';
import { allSettledOrThrow } from './all-settled-or-throw.ts';
import { createChatCleaner } from './chat-cleaner.ts';
import type { TokenRefresherSettings } from './config.ts';
import { createFetchIdentity } from './fetch-identity.ts';
import { createGuestKeeper } from './guest-keeper.ts';
import { createRefresherMetrics } from './metrics.ts';
import { createMemoryMintBudget } from './memory-mint-budget.ts';
import type { MintBudget } from './mint-budget.ts';
import type { RefillSchedule, TickResult } from './refill-schedule.ts';
import { createSupplyState } from './supply-state.ts';
import { createMemoryTickStateStore } from './memory-tick-state-store.ts';
import type { TickStateStore } from './tick-state-store.ts';
import { createUserKeeper } from './user-keeper.ts';
import { openUserTokenSource } from './user-token-source.ts';

/** Keeps a credential store supplied. */
export interface TokenRefresher {
  /** Looks at the pool at once, then by its schedule and whenever the store asks. */
  start(): void;
  /**
   * Resolves when the first refill is over: the pool has reached its target, or cannot for now, and every user token was asked about.
   * Also resolves when the refresher stops. Rejects with the signal's reason.
   */
  warm(signal: AbortSignal): Promise<void>;
  /** Aborts what runs and resolves when nothing runs any more. Idempotent. The store stays open: it is not the refresher's. */
  stop(): Promise<void>;
}

/** What the refresher is wired from. */
export interface TokenRefresherOptions {
  readonly settings: TokenRefresherSettings;
  readonly profile: WebProfile;
  readonly store: CredentialStore;
  readonly schedule: RefillSchedule;
  /** Shared by all refreshers of a store. Default: in memory, for the only one. */
  readonly budget?: MintBudget;
  /** As `budget`. */
  readonly stateStore?: TickStateStore;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Milliseconds since the epoch; the same clock as the store's. Default: the system's. */
  readonly now?: () => number;
  /** Numbers from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** An identity is a few hundred bytes; what is much longer is something else. */
const MAX_ANSWER_BYTES = 262_144;
/** Shorter than a tick's distance, so that a call never meets a connection that the upstream is about to close. */
const KEEP_ALIVE_MS = 4_000;
const MAX_CONNECTIONS = 6;

/** Throws a ConfigError when a user token cannot be one, or their file cannot be read. Nothing is called before `start`. */
export function createTokenRefresher(options: TokenRefresherOptions): TokenRefresher {
  const {
    settings,
    profile,
    store,
    schedule,
    budget = createMemoryMintBudget(),
    stateStore = createMemoryTickStateStore(),
    logger,
    registry,
    now = () => Date.now(),
    random = Math.random,
  } = options;
  const timeoutMs = settings.ZAI_REQUEST_TIMEOUT * 1000;
  const tokens = openUserTokenSource({ settings, logger });
  // No cookie store: each call must look like a new visitor (protocol 1.1). Deadlines are set per call.
  const dispatcher = new Agent({
    connections: MAX_CONNECTIONS,
    connect: { timeout: timeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const fetchIdentity = createFetchIdentity({ dispatcher, profile, timeoutMs });
  const cleaner = createChatCleaner({ dispatcher, profile, timeoutMs, logger });
  const metrics = createRefresherMetrics({ registry, store });
  const supply = createSupplyState({ store, stateStore, logger, now, random });
  const common = { settings, store, stateStore, fetchIdentity, metrics, logger, now, random };
  const guests = createGuestKeeper({ ...common, budget, cleaner, supply });
  const users = createUserKeeper({ ...common, tokens: () => tokens.current() });
  const warmed = Promise.withResolvers<undefined>();
  let stopListening: (() => void) | undefined;
  let stopped: Promise<void> | undefined;

  async function tick(signal: AbortSignal): Promise<TickResult> {
    await supply.load();
    const areGuestsOn = settings.ZAI_ANON_TOKEN_ENABLED;
    const [user, guest] = await allSettledOrThrow([
      users.check(signal),
      areGuestsOn ? guests.refill(signal) : { isFull: true, nextAtMs: Infinity },
    ]);
    if (!areGuestsOn) {
      const nextLookMs = now() + settings.ZAI_REFRESH_INTERVAL * 1000;
      if (user.usable > 0) await supply.recover();
      else await supply.markUnsupplied(Math.max(nextLookMs, user.nextAtMs ?? 0));
    }
    const nextAtMs = Math.min(user.nextAtMs ?? Infinity, guest.nextAtMs ?? Infinity);
    // A pool that only waits for its pace is about to be filled; one that waits for anything longer will not be.
    const guestWaitMs = (guest.nextAtMs ?? Infinity) - now();
    const isFilling =
      !guest.isFull && supply.current.state === 'ok' && guestWaitMs < settings.ZAI_REFRESH_INTERVAL * 1000;
    if (!isFilling) warmed.resolve(undefined);
    return nextAtMs === Infinity ? {} : { nextInMs: Math.max(0, nextAtMs - now()) };
  }

  async function countedTick(signal: AbortSignal): Promise<TickResult> {
    try {
      const result = await tick(signal);
      metrics.countTick(signal.aborted ? 'broken-off' : 'done');
      return result;
    } catch (error) {
      metrics.countTick(signal.aborted ? 'broken-off' : 'failed');
      throw error;
    }
  }

  async function stopAll(): Promise<void> {
    stopListening?.();
    tokens.stop();
    await schedule.stop();
    await cleaner.stop();
    await dispatcher.destroy();
    warmed.resolve(undefined);
  }

  return {
    start() {
      if (stopListening || stopped) return;
      stopListening = store.onDemand(() => schedule.requestTick());
      tokens.start(() => schedule.requestTick());
      schedule.start(countedTick);
    },
    warm: (signal) => unlessAborted(warmed.promise, signal),
    stop: () => (stopped ??= stopAll()),
  };
}
