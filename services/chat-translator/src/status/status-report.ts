import type { KindCounts } from '@zai2api/credentials';
import type { CatalogSource } from '../models/model-catalog.ts';
import type { FrontendVersionReading } from '../zai-web/frontend-version.ts';
import type { DriverHealth } from './driver-health.ts';
import type { Supply } from './judge-supply.ts';
import type { UpstreamState } from './judge-tries.ts';
import type { StatusReading } from './upstream-status.ts';

/** Times as ISO 8601 in UTC; null where there was none yet. */
type Time = string | null;

/** The body of `GET /v1/status`. It holds states, times and numbers: no token, no user id, no words of the upstream. */
export interface StatusReport {
  readonly object: 'status';
  readonly at: Time;
  /** That of the driver which is best off: with it, turns are answered. */
  readonly state: UpstreamState;
  readonly drivers: readonly {
    readonly name: string;
    readonly state: UpstreamState;
    /** When this process first saw the state. */
    readonly since: Time;
    readonly last_success_at: Time;
    /** `code` and `reason` are of the closed list of errors; `message` is what clients were told. */
    readonly last_failure: {
      readonly at: Time;
      readonly code: string;
      readonly reason: string | null;
      readonly message: string;
    } | null;
    /** How many of the last tries, at most ten, went well. */
    readonly recent_tries: { readonly good: number; readonly failed: number };
    /** `closed`: turns are let through; `open`: none until `retry_at`; `half-open`: one, to see. */
    readonly breaker: { readonly state: string; readonly retry_at: Time };
    /** Where its model list comes from. */
    readonly models: { readonly source: CatalogSource };
    /** Its credentials; null when their store does not tell. */
    readonly pool: PoolReport | null;
    /** `source`: `live` or `configured`. Null for a driver without one. */
    readonly frontend_version: { readonly version: string; readonly source: string; readonly read_at: Time } | null;
  }[];
  /** `live`, `stale` (the last good list) or `built-in`. */
  readonly models: { readonly source: CatalogSource };
  /** The supply of guest and user tokens; null when there is no web upstream, or the store does not tell. */
  readonly pool: PoolReport | null;
}

/** `reason` is ours; `retry_at`: when the supply is tried again. */
interface PoolReport {
  readonly state: string;
  readonly reason: string | null;
  readonly retry_at: Time;
  readonly guest: PoolKindReport;
  readonly user: PoolKindReport;
  readonly waiting: number;
}

interface PoolKindReport {
  readonly ready: number;
  readonly leased: number;
  readonly cooling_down: number;
  readonly challenged: number;
  readonly expired: number;
  readonly total: number;
}

/** What the report on the status is made of. */
export interface StatusSources {
  readonly nowMs: number;
  readonly drivers: readonly {
    readonly name: string;
    readonly reading: StatusReading;
    readonly modelSource: CatalogSource;
    readonly frontendVersion: FrontendVersionReading | undefined;
  }[];
  readonly modelSource: CatalogSource;
}

/** From the best to the worst. */
const byMerit: readonly UpstreamState[] = ['ok', 'degraded', 'unknown', 'drifted', 'blocked', 'challenged'];

/** The report of what is known; pure. */
export function reportStatus({ nowMs, drivers, modelSource }: StatusSources): StatusReport {
  const reports = drivers.map(reportDriver);
  return {
    object: 'status',
    at: time(nowMs),
    state: byMerit.find((state) => reports.some((driver) => driver.state === state)) ?? 'unknown',
    drivers: reports,
    models: { source: modelSource },
    pool: reports.find(({ name }) => name === 'web')?.pool ?? null,
  };
}

function reportDriver({
  name,
  reading: { health, supply, breaker },
  modelSource,
  frontendVersion,
}: StatusSources['drivers'][number]): StatusReport['drivers'][number] {
  return {
    name,
    state: health.state,
    since: time(health.sinceMs),
    last_success_at: time(health.lastSuccessMs),
    last_failure: health.lastFailure ? reportFailure(health.lastFailure) : null,
    recent_tries: health.recent,
    breaker: { state: breaker.state, retry_at: time(breaker.untilMs) },
    models: { source: modelSource },
    pool: supply ? reportSupply(supply) : null,
    frontend_version: frontendVersion
      ? { version: frontendVersion.version, source: frontendVersion.source, read_at: time(frontendVersion.readAtMs) }
      : null,
  };
}

function reportFailure({ atMs, error }: NonNullable<DriverHealth['lastFailure']>): {
  at: Time;
  code: string;
  reason: string | null;
  message: string;
} {
  return { at: time(atMs), code: error.code, reason: error.details.reason ?? null, message: error.message };
}

function reportSupply({ poolState, counts }: Supply): PoolReport {
  const bad = poolState.state === 'ok' ? undefined : poolState;
  return {
    state: poolState.state,
    reason: bad?.reason ?? null,
    retry_at: time(bad?.untilMs),
    guest: reportKind(counts.guest),
    user: reportKind(counts.user),
    waiting: counts.waiting,
  };
}

function reportKind({ ready, leased, coolingDown, challenged, expired, total }: KindCounts): PoolKindReport {
  return { ready, leased, cooling_down: coolingDown, challenged, expired, total };
}

/** An infinite time, such as that of a supply that nobody will try again, is none. */
function time(ms: number | undefined): Time {
  return ms === undefined || !Number.isFinite(ms) ? null : new Date(ms).toISOString();
}
