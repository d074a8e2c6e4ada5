import { randomUUID } from 'node:crypto';
import type { CredentialStore, Lease, LeaseOutcome } from '../credential-store.ts';
import { startUnrefTimer, type StartTimer } from '../start-timer.ts';
import { guardRedis, withinTime, type RedisClient, type StoreLogger } from './guard-redis.ts';
import { createLeaseQueue, type Granted } from './lease-queue.ts';
import { createPoolCommands } from './pool-commands.ts';
import { poolKeysOf } from './pool-keys.ts';
import { storeUnavailable } from './store-unavailable.ts';
import { createUndeliveredReleases } from './undelivered-releases.ts';

/** What a store in Redis needs. Times are milliseconds. */
export interface RedisCredentialStoreOptions {
  /** For commands whose time is bounded here. Stays the caller's, who closes it after the store. */
  readonly commands: RedisClient;
  /** For hearing of changes. Stays the caller's, too. */
  readonly subscriber: RedisClient;
  /** First part of every key. */
  readonly prefix: string;
  readonly logger: StoreLogger;
  /** How long a command may take, in milliseconds; then the store counts as unreachable. Default: 2000. */
  readonly commandTimeoutMs?: number;
  /** Milliseconds since the epoch. Default: the clock of Redis, so that processes whose clocks differ agree on every deadline. */
  readonly now?: () => number;
  readonly startTimer?: StartTimer;
}

const DEFAULT_COMMAND_TIMEOUT_MS = 2_000;

/**
 * The store that processes share. Each answer of a lease is one script, so that no limit is exceeded and no slot lost, whoever crashes in
 * between. Those who wait do so in a queue of their process and are woken by messages; `waiting` counts this process alone. While Redis does
 * not answer, everything rejects with `store_unavailable`, but releases are delivered later.
 */
export function createRedisCredentialStore(options: RedisCredentialStoreOptions): CredentialStore {
  const { commands, subscriber, logger, commandTimeoutMs = DEFAULT_COMMAND_TIMEOUT_MS } = options;
  const keys = poolKeysOf(options.prefix);
  const pool = createPoolCommands({ client: commands, keys, clock: options.now, timeoutMs: commandTimeoutMs });
  const now = options.now ?? ((): number => Date.now());
  const instance = randomUUID();
  let asked = 0;
  /** Those that were not given back. The lease time is the one that was given last. */
  const held = new WeakMap<Lease, { readonly leaseId: string; leaseMs: number }>();
  const demandListeners = new Set<() => void>();
  let closed = false;

  const guard = guardRedis({
    timeoutMs: commandTimeoutMs,
    probe: () => commands.exists(keys.meta),
    logger,
    onDown: () => queue.refuseAll(storeUnavailable('lost while waiting')),
    onUp() {
      undelivered.deliver();
      queue.poolChanged();
    },
  });
  const undelivered = createUndeliveredReleases((leaseId, outcome) => guard.run(() => pool.release(leaseId, outcome)));
  const queue = createLeaseQueue({
    async ask(asks) {
      const isSent = !guard.isDown;
      try {
        return await guard.run(() => pool.lease(asks));
      } catch (error) {
        // They may have been given all the same.
        if (isSent) for (const { id, leaseMs } of asks) giveBack(id, leaseMs);
        throw error;
      }
    },
    giveBack,
    now,
    startTimer: options.startTimer ?? startUnrefTimer,
  });

  async function release(leaseId: string, leaseMs: number, outcome: LeaseOutcome): Promise<void> {
    try {
      await guard.run(() => pool.release(leaseId, outcome));
    } catch {
      undelivered.add(leaseId, outcome, leaseMs);
    }
  }

  function giveBack(leaseId: string, leaseMs: number): void {
    void release(leaseId, leaseMs, { result: 'good' });
  }

  function toLease(leaseId: string, leaseMs: number, { credential, fence }: Granted): Lease {
    const holding = { leaseId, leaseMs };
    let released: Promise<void> | undefined;
    const lease: Lease = {
      credential,
      fence,
      release(outcome) {
        held.delete(lease);
        return (released ??= release(leaseId, holding.leaseMs, outcome));
      },
    };
    held.set(lease, holding);
    return lease;
  }

  function onMessage(channel: string, message: string): void {
    if (channel !== keys.channel) return;
    if (message.includes('changed')) queue.poolChanged();
    if (message.includes('demand')) for (const listener of [...demandListeners]) listener();
  }

  /** Also after a lost connection, when messages may have been missed. */
  function listen(): void {
    subscriber.subscribe(keys.channel).then(
      () => onMessage(keys.channel, 'changed demand'),
      () => {
        if (subscriber.status === 'ready' && !closed) logger.warn({}, 'messages about the pool cannot be heard');
      },
    );
  }

  subscriber.on('message', onMessage);
  subscriber.on('ready', listen);
  if (subscriber.status === 'ready') listen();

  return {
    async lease(request) {
      const deadlineMs = now() + request.waitMs;
      for (;;) {
        const leaseId = `${instance}:${++asked}`;
        const waitMs = Math.max(0, deadlineMs - now());
        const granted = await queue.join({ ...request, waitMs }, leaseId);
        if (now() - granted.askedAtMs < request.leaseMs) return toLease(leaseId, request.leaseMs, granted);
        // A process that stood still for so long may have lost it again before it could begin.
        giveBack(leaseId, request.leaseMs);
      }
    },
    async renew(lease, leaseMs) {
      const holding = held.get(lease);
      if (!holding || closed) return false;
      holding.leaseMs = leaseMs;
      return guard.run(() => pool.renew(holding.leaseId, lease, leaseMs));
    },
    put: (credential) => guard.run(() => pool.put(credential)),
    remove: (id) => guard.run(() => pool.remove(id)),
    retireExpired: (byMs) => guard.run(() => pool.retireExpired(byMs)),
    counts: async () => ({ ...(await guard.run(() => pool.counts())), waiting: queue.size }),
    ids: (kind) => guard.run(() => pool.ids(kind)),
    setPoolState: (state) => guard.run(() => pool.setPoolState(state)),
    poolState: () => guard.run(() => pool.poolState()),
    onDemand(listener) {
      demandListeners.add(listener);
      return () => demandListeners.delete(listener);
    },
    async close() {
      if (closed) return;
      closed = true;
      demandListeners.clear();
      guard.stop();
      queue.close();
      subscriber.off('message', onMessage);
      subscriber.off('ready', listen);
      // A Redis that does not answer hears nothing more from us anyway.
      if (subscriber.status === 'ready')
        await withinTime(() => subscriber.unsubscribe(keys.channel), commandTimeoutMs).catch(() => undefined);
    },
  };
}
