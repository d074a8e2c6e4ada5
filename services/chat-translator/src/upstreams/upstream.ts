import type { CredentialStore, LeaseOutcome } from '@zai2api/credentials';
import type { TurnError } from '@zai2api/turn';
import type { ModelCatalog } from '../models/model-catalog.ts';
import type { TryOutcome } from '../status/judge-tries.ts';
import type { UpstreamDriver } from '../upstream-driver.ts';
import type { CredentialGuard } from './credential-guard.ts';
import type { UpstreamBreaker } from './upstream-breaker.ts';

/** One configured way to the models, with all that belongs to it. */
export interface Upstream {
  /** The driver's. */
  readonly name: string;
  readonly driver: UpstreamDriver;
  readonly credentials: CredentialStore;
  readonly catalog: ModelCatalog;
  readonly breaker: UpstreamBreaker;
  readonly guard: CredentialGuard;
  readonly outcomeOf: (error: TurnError | undefined) => LeaseOutcome;
  /** Hears how every try went. */
  readonly observe: (outcome: TryOutcome) => void;
}
