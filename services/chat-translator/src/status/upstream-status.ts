import type { CredentialStore } from '@zai2api/credentials';
import type { Logger, Registry } from '@zai2api/runtime';
import { Gauge } from 'prom-client';
import type { UpstreamDriver } from '../upstream-driver.ts';
import { createHealthKeeper, type DriverHealth, type HealthKeeper } from './driver-health.ts';
import type { Supply } from './judge-supply.ts';
import { upstreamStates } from './judge-tries.ts';
import { readSupply } from './read-supply.ts';

/** How the upstream is, from its tries and its supply of credentials. */
export interface UpstreamStatus extends Pick<HealthKeeper, 'observe' | 'lastEvidenceMs'> {
  /** Asks the store anew; waits for it for at most a second. Never throws. */
  read(): Promise<{ readonly health: DriverHealth; readonly supply: Supply | undefined }>;
  /** By the tries alone: at once, for probes. */
  readTries(): DriverHealth;
}

/** Creates the status of a driver, with its metrics; once per registry. */
export function createUpstreamStatus(options: {
  readonly driver: Pick<UpstreamDriver, 'name'>;
  readonly credentials: CredentialStore;
  readonly now: () => number;
  readonly logger: Logger;
  readonly registry: Registry;
}): UpstreamStatus {
  const { driver, credentials, now, logger } = options;
  const registers = [options.registry];
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

  async function read(): ReturnType<UpstreamStatus['read']> {
    const supply = await readSupply(credentials);
    return { health: keeper.read(supply), supply };
  }

  new Gauge({
    name: 'zai_upstream_status',
    help: '1 for the state that the upstream is in as this process sees it.',
    labelNames: ['driver', 'state'],
    registers,
    async collect() {
      const { health } = await read();
      for (const state of upstreamStates) this.set({ driver: driver.name, state }, state === health.state ? 1 : 0);
    },
  });
  new Gauge({
    name: 'zai_upstream_last_success_timestamp_seconds',
    help: 'When the upstream last sent content; 0 while it never has.',
    labelNames: ['driver'],
    registers,
    collect() {
      this.set({ driver: driver.name }, (keeper.readTries().lastSuccessMs ?? 0) / 1000);
    },
  });
  return {
    observe: (outcome) => keeper.observe(outcome),
    lastEvidenceMs: () => keeper.lastEvidenceMs(),
    read,
    readTries: () => keeper.readTries(),
  };
}
