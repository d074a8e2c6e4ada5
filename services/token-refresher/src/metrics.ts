import type { CredentialStore, KindCounts } from '@zai2api/credentials';
import type { Registry } from '@zai2api/runtime';
import { Counter, Gauge } from 'prom-client';
import type { SupplyFaultState } from './supply-fault.ts';

/** What the refresher counts. */
export interface RefresherMetrics {
  countMint(outcome: 'minted' | 'duplicate' | SupplyFaultState): void;
  countTick(outcome: 'done' | 'failed' | 'broken-off'): void;
  countUserCheck(outcome: 'valid' | 'rotated' | 'refused' | 'downgraded' | 'unknown'): void;
}

const kinds = ['guest', 'user'] as const;
const states = {
  ready: 'ready',
  leased: 'leased',
  coolingDown: 'cooling-down',
  challenged: 'challenged',
  expired: 'expired',
} as const satisfies Record<Exclude<keyof KindCounts, 'total'>, string>;

/** Registers the metrics of the refresher and of the pool; the pool's are read from the store at each scrape. */
export function createRefresherMetrics(options: { registry: Registry; store: CredentialStore }): RefresherMetrics {
  const { store } = options;
  const registers = [options.registry];
  const mints = new Counter({
    name: 'zai_refresher_mints_total',
    help: 'Guests asked for, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const userChecks = new Counter({
    name: 'zai_refresher_user_checks_total',
    help: 'Checks of user tokens, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const ticks = new Counter({
    name: 'zai_refresher_ticks_total',
    help: 'Looks at the pool by this replica, by outcome; each is made by one of the replicas.',
    labelNames: ['outcome'],
    registers,
  });
  new Gauge({
    name: 'zai_credentials',
    help: 'Credentials in the pool, by kind and state.',
    labelNames: ['kind', 'state'],
    registers,
    async collect() {
      // A scrape must not fail because the store does: no sample is the truth then.
      this.reset();
      const counts = await store.counts().catch(() => undefined);
      if (!counts) return;
      for (const kind of kinds) {
        for (const [field, state] of Object.entries(states) as [keyof typeof states, string][]) {
          this.set({ kind, state }, counts[kind][field]);
        }
      }
    },
  });
  new Gauge({
    name: 'zai_pool_state',
    help: '1 for the state that the supply of credentials is in.',
    labelNames: ['state'],
    registers,
    async collect() {
      this.reset();
      const poolState = await store.poolState().catch(() => undefined);
      if (poolState) this.set({ state: poolState.state }, 1);
    },
  });
  return {
    countMint: (outcome) => mints.inc({ outcome }),
    countTick: (outcome) => ticks.inc({ outcome }),
    countUserCheck: (outcome) => userChecks.inc({ outcome }),
  };
}
