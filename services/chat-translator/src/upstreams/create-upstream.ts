import type { CredentialStore } from '@zai2api/credentials';
import type { UpstreamModel } from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { createModelCatalog } from '../models/model-catalog.ts';
import { createUpstreamStatus, type UpstreamStatus } from '../status/upstream-status.ts';
import { keepLease } from '../turn/keep-lease.ts';
import type { UpstreamDriver } from '../upstream-driver.ts';
import { createCredentialGuard } from './credential-guard.ts';
import { createUpstreamBreaker } from './upstream-breaker.ts';
import type { Upstream } from './upstream.ts';

/** What an upstream is put together from. Milliseconds. */
export interface CreateUpstreamOptions {
  readonly driver: UpstreamDriver;
  readonly credentials: CredentialStore;
  readonly outcomeOf: Upstream['outcomeOf'];
  /** Serve until the upstream was reached. */
  readonly builtInModels: readonly UpstreamModel[];
  readonly modelsMaxAgeMs: number;
  readonly requestTimeoutMs: number;
  readonly leaseMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** How long the model list waits for a credential of its own: answers come first. */
const MODELS_CREDENTIAL_WAIT_MS = 2_000;
/** So many turns in a row fail at an upstream before it is left alone for a while. */
const BREAKER_THRESHOLD = 5;
const FIRST_BREAK_MS = 5_000;
const LONGEST_BREAK_MS = 60_000;

/** An upstream with its status. */
export interface WatchedUpstream extends Upstream {
  readonly status: UpstreamStatus;
}

/** All that belongs to one driver. */
export function createUpstream(options: CreateUpstreamOptions): WatchedUpstream {
  const { driver, credentials, leaseMs, logger, outcomeOf } = options;
  const breaker = createUpstreamBreaker({
    threshold: BREAKER_THRESHOLD,
    firstWaitMs: FIRST_BREAK_MS,
    longestWaitMs: LONGEST_BREAK_MS,
    onChange: ({ state, error }) =>
      logger[state === 'closed' ? 'info' : 'warn'](
        { driver: driver.name, state, code: error?.code, reason: error?.details.reason },
        'the upstream’s breaker changed',
      ),
  });
  const catalog = createModelCatalog({
    maxAgeMs: options.modelsMaxAgeMs,
    now: () => performance.now(),
    builtIn: options.builtInModels,
    onFailure: (reason) => logger.warn({ err: reason, driver: driver.name }, 'the model list could not be read'),
    read: async () => {
      const signal = AbortSignal.timeout(options.requestTimeoutMs);
      const kept = await keepLease(credentials, { signal, waitMs: MODELS_CREDENTIAL_WAIT_MS, leaseMs, logger });
      try {
        const models = await driver.listModels(kept.lease.credential, signal);
        await kept.release({ result: 'good' });
        return models;
      } catch (reason) {
        await kept.release(outcomeOf(TurnError.from(reason)));
        throw reason;
      }
    },
  });
  const status = createUpstreamStatus({ driver, credentials, breaker, now: options.now, logger });
  return {
    name: driver.name,
    driver,
    credentials,
    catalog,
    breaker,
    guard: createCredentialGuard(),
    outcomeOf,
    observe: status.observe,
    status,
  };
}
