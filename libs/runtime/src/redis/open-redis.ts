import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis, type CommonRedisOptions } from 'ioredis';
import { ConfigError } from '../config/config-error.ts';
import type { Logger } from '../create-logger.ts';
import { logConnection } from './log-connection.ts';
import { redisAddressOf, type RedisAddress } from './redis-address.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisSettings } from './redis-settings.ts';

/**
 * What a connection is for. `commands` and `health`: every command ends within `REDIS_COMMAND_TIMEOUT`; `health` does not even wait for a
 * connection. `guarded`: whoever asks bounds the time by `guardRedis`, which tells an answer that does not come from one that could not be read
 * yet. `blocking`: commands may wait for ever, as BullMQ's workers need it. `subscriber`: hears channels and asks nothing.
 */
export type RedisRole = 'commands' | 'guarded' | 'blocking' | 'subscriber' | 'health';

/** Who hears of faults, and what the connection is for. */
export interface OpenRedisOptions {
  readonly logger: Logger;
  readonly role: RedisRole;
}

/** A first reconnect soon, for a dropped connection; later ones rarer, for an outage. */
const MIN_RECONNECT_MS = 50;
const MAX_RECONNECT_MS = 2_000;
/** Longer than BullMQ's workers block, which is 10 s. */
const MAX_BLOCKING_SILENCE_MS = 30_000;
/** Silence on a connection after which the system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 10_000;

/**
 * Opens a connection in the background and keeps it up; nothing is waited for. Connection faults are logged once per change, without
 * address or password, and reach the callers as failing commands. Throws a ConfigError when the settings contradict each other.
 */
export function openRedis(settings: RedisSettings, { logger, role }: OpenRedisOptions): RedisClient {
  const address = redisAddressOf(settings);
  const client = connect(address, settings, role);
  logConnection(client, logger.child({ redis: role }));
  return client;
}

function connect(address: RedisAddress, settings: RedisSettings, role: RedisRole): RedisClient {
  const tls = address.usesTls ? readTlsOptions(settings) : undefined;
  const timeoutMs = settings.REDIS_COMMAND_TIMEOUT * 1000;
  const common: Omit<CommonRedisOptions, 'replyMapping'> & { tls?: ConnectionOptions } = {
    username: address.username,
    password: address.password,
    ...(tls && { tls }),
    connectTimeout: Math.max(1_000, timeoutMs),
    connectionName: `${settings.REDIS_KEY_PREFIX}:${role}`,
    keepAlive: KEEP_ALIVE_MS,
    // After a failover the old primary may still be connected, and refuse writes: ask again who the primary is, then say it once more.
    reconnectOnError: (error) => (error.message.includes('READONLY') ? 2 : false),
    // Commands end by their timeout, the others wait for the connection.
    maxRetriesPerRequest: null,
    // A server that hangs, or whose host is gone, keeps its connections: only a new one finds the primary that has taken over.
    socketTimeout: role === 'blocking' ? MAX_BLOCKING_SILENCE_MS : 2 * timeoutMs,
    ...((role === 'commands' || role === 'health') && { commandTimeout: timeoutMs }),
  };
  const enableOfflineQueue = role !== 'health';
  const retryStrategy = reconnectAfterMs;
  switch (address.kind) {
    case 'single':
      return new Redis({ ...common, ...address.node, db: address.database, enableOfflineQueue, retryStrategy });
    case 'sentinel':
      return new Redis({
        ...common,
        enableOfflineQueue,
        retryStrategy,
        sentinels: [...address.sentinels],
        name: address.name,
        sentinelUsername: settings.REDIS_SENTINEL_USERNAME,
        sentinelPassword: settings.REDIS_SENTINEL_PASSWORD?.reveal(),
        sentinelRetryStrategy: reconnectAfterMs,
        sentinelCommandTimeout: timeoutMs,
        ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      });
    case 'cluster':
      return new Cluster([...address.nodes], {
        redisOptions: common,
        enableOfflineQueue,
        clusterRetryStrategy: reconnectAfterMs,
        slotsRefreshTimeout: timeoutMs,
        // Certificates name hosts: with TLS the names that the Cluster announces must not become addresses.
        ...(tls && { dnsLookup: (host: string, done: (error: null, address: string) => void) => done(null, host) }),
      });
  }
}

/** Twice as long each time, and scattered, so that the pods do not all come back in the same moment. */
function reconnectAfterMs(attempt: number): number {
  const longest = Math.min(MAX_RECONNECT_MS, MIN_RECONNECT_MS * 2 ** Math.min(attempt, 10));
  return Math.round(longest * (0.5 + Math.random() / 2));
}

function readTlsOptions(settings: RedisSettings): ConnectionOptions {
  const faults: string[] = [];
  const read = (name: 'REDIS_TLS_CA_FILE' | 'REDIS_TLS_CERT_FILE' | 'REDIS_TLS_KEY_FILE'): Buffer | undefined => {
    const path = settings[name];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch {
      faults.push(`${name}: the file cannot be read`);
      return undefined;
    }
  };
  const options = {
    ca: read('REDIS_TLS_CA_FILE'),
    cert: read('REDIS_TLS_CERT_FILE'),
    key: read('REDIS_TLS_KEY_FILE'),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
