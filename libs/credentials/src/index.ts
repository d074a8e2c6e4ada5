export type { Credential } from './credential.ts';
export type { CredentialStore, KindCounts, Lease, LeaseOutcome, LeaseRequest, PoolCounts } from './credential-store.ts';
export { createMemoryCredentialStore } from './memory-credential-store.ts';
export type { BadPoolState, PoolState } from './pool-state.ts';
export { refillPool, type RefillPlan, type RefillTargets } from './refill-pool.ts';
export type { StartTimer } from './start-timer.ts';
