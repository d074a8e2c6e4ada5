import type { CredentialStore } from '@zai2api/credentials';
import type { Logger, Registry } from '@zai2api/runtime';
import { Gauge } from 'prom-client';
import type { UpstreamDriver } from '../upstream-driver.ts';
import { breakerStates, type BreakerReading, type UpstreamBreaker } from '../upstreams/upstream-breaker.ts';
import { createHealthKeeper, type DriverHealth, type HealthKeeper } from './driver-health.ts';
import type { Supply } from './judge-supply.ts';
import { upstreamStates } from './judge-tries.ts';
import { readSupply } from './read-supply.ts';

/** All that is known of an upstream at a time. */
export interface StatusReading {
  readonly health: DriverHealth;
  readonly supply: Supply | undefined;
  readonly breaker: BreakerReading;
}

/** How the upstream is, from its tries, its supply of credentials and its breaker. */
export interface UpstreamStatus extends Pick<HealthKeeper, 'observe' | 'lastEvidenceMs'> {
  readonly name: string;
  /** Asks the store anew; waits for it for at most a second. Never throws. */
  read(): Promise<StatusReading>;
  /** By the tries alone: at once, for probes. */
  readTries(): DriverHealth;
  readBreaker(): BreakerReading;
}

/** Creates the status of a driver. */
export function createUpstreamStatus(options: {
  readonly driver: Pick<UpstreamDriver, 'name'>;
  readonly credentials: CredentialStore;
  readonly breaker: Pick<UpstreamBreaker, 'read'>;
  readonly now: () => number;
  readonly logger: Logger;
}): UpstreamStatus {
  const { driver, credentials, breaker, now, logger } = options;
  const keeper = createHealthKeeper({
    now,
    onChange(state, before, lastFailure) {
      const error = state === 'ok' ? undefined : lastFailure?.error;
      logger[state === 'ok' ? 'info' : 'warn'](
        { driver: driver.name, state, before, code: error?.code, reason: error?.details.reason },
        'the upstream’s state changed',
      );
    },
  });

  return {
    name: driver.name,
    observe: (outcome) => keeper.observe(outcome),
    lastEvidenceMs: () => keeper.lastEvidenceMs(),
    async read() {
      const supply = await readSupply(credentials);
      return { health: keeper.read(supply), supply, breaker: breaker.read() };
    },
    readTries: () => keeper.readTries(),
    readBreaker: () => breaker.read(),
  };
}

/** The metrics of all upstreams; once per registry. */
export function registerStatusMetrics(registry: Registry, statuses: readonly UpstreamStatus[]): void {
  const registers = [registry];
  new Gauge({
    name: 'zai_upstream_status',
    help: '1 for the state that the upstream is in as this process sees it.',
    labelNames: ['driver', 'state'],
    registers,
    async collect() {
      for (const status of statuses) {
        const { health } = await status.read();
        for (const state of upstreamStates) this.set({ driver: status.name, state }, state === health.state ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'zai_upstream_status_since_timestamp_seconds',
    help: 'When this process first saw the upstream in the state that it is in.',
    labelNames: ['driver'],
    registers,
    async collect() {
      for (const status of statuses) {
        const { health } = await status.read();
        this.set({ driver: status.name }, health.sinceMs / 1000);
      }
    },
  });
  new Gauge({
    name: 'zai_upstream_last_failure_timestamp_seconds',
    help: 'When a try at the upstream last failed, by what it failed with; absent while none has.',
    labelNames: ['driver', 'code', 'reason'],
    registers,
    collect() {
      // Only the last one: what failed before it is history.
      this.reset();
      for (const status of statuses) {
        const { lastFailure } = status.readTries();
        if (!lastFailure) continue;
        const { code, details } = lastFailure.error;
        this.set({ driver: status.name, code, reason: details.reason ?? '' }, lastFailure.atMs / 1000);
      }
    },
  });
  new Gauge({
    name: 'zai_upstream_last_success_timestamp_seconds',
    help: 'When the upstream last sent content; 0 while it never has.',
    labelNames: ['driver'],
    registers,
    collect() {
      for (const status of statuses) this.set({ driver: status.name }, (status.readTries().lastSuccessMs ?? 0) / 1000);
    },
  });
  new Gauge({
    name: 'zai_upstream_breaker',
    help: '1 for the state of the breaker before the upstream: closed lets turns through, half-open one of them.',
    labelNames: ['driver', 'state'],
    registers,
    collect() {
      for (const status of statuses) {
        const { state: now } = status.readBreaker();
        for (const state of breakerStates) this.set({ driver: status.name, state }, state === now ? 1 : 0);
      }
    },
  });
}
