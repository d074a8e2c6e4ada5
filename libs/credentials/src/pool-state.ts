import { TurnError, type ErrorCode } from '@zai2api/turn';

/**
 * Why no new credentials come in. `challenged`: human verification is demanded; `blocked`: the edge refuses us; `rate-limited`: 429;
 * `refused`: guests are not given out; `unreachable`: no answer; `failing`: 5xx; `drifted`: an answer we cannot read;
 * `unsupplied`: nothing is configured that could bring one in.
 */
export type BadPoolState =
  'challenged' | 'blocked' | 'rate-limited' | 'refused' | 'unreachable' | 'failing' | 'drifted' | 'unsupplied';

/** How the supply of credentials is. A bad state holds until `untilMs` (milliseconds since the epoch), when the next try is due. */
export type PoolState =
  | { readonly state: 'ok' }
  | {
      readonly state: BadPoolState;
      readonly untilMs: number;
      /** One sentence for the log: no secret, no upstream text. */
      readonly reason: string;
    };

const refusals = {
  challenged: {
    code: 'upstream_challenged',
    message:
      'The upstream asks for human verification, which this service never solves. Wait, configure a user token, or use the official API.',
  },
  blocked: {
    code: 'upstream_blocked',
    message: 'The upstream’s edge blocks requests for new sessions. Wait, or use the official API.',
  },
  'rate-limited': {
    code: 'upstream_busy',
    reason: 'upstream_rate_limited',
    message: 'The upstream limits the rate of new sessions.',
  },
  refused: {
    code: 'upstream_forbidden',
    message: 'The upstream gives out no guest sessions. Configure a user token, or use the official API.',
  },
  unreachable: { code: 'upstream_unreachable', message: 'The upstream cannot be reached.' },
  failing: { code: 'upstream_failed', message: 'The upstream fails to give out sessions.' },
  drifted: { code: 'upstream_drifted', message: 'The upstream no longer gives out sessions in the known form.' },
  unsupplied: {
    code: 'no_capacity',
    reason: 'no_credentials',
    message: 'No upstream credential is available: guest tokens are off and no valid user token is configured.',
  },
} as const satisfies Record<BadPoolState, { code: ErrorCode; reason?: string; message: string }>;

/** The longest wait that is asked of a client: within an hour, somebody may have changed something. */
const MAX_RETRY_AFTER_SECONDS = 3_600;

/** The typed refusal of a turn while the pool is in a bad state, with the seconds until the next try. */
export function refuseForPoolState(state: BadPoolState, untilMs: number, nowMs: number): TurnError {
  const { code, message, ...rest } = refusals[state];
  return new TurnError(code, message, {
    layer: state === 'unsupplied' ? 'pool' : 'upstream',
    retryAfterSeconds: secondsUntil(untilMs, nowMs),
    ...rest,
  });
}

/** What a client is told when nothing says how long the wait will be. */
const DEFAULT_RETRY_AFTER_SECONDS = 5;
/** A pool that is merely busy is worth another try this soon at the latest. */
const MAX_BUSY_RETRY_AFTER_SECONDS = 60;

/** The refusal of a turn that waited in vain; `backAtMs`: when a resting credential is back, if one rests. */
export function refuseForLackOfCapacity(backAtMs: number | undefined, nowMs: number): TurnError {
  const retryAfterSeconds =
    backAtMs === undefined
      ? DEFAULT_RETRY_AFTER_SECONDS
      : Math.min(MAX_BUSY_RETRY_AFTER_SECONDS, secondsUntil(backAtMs, nowMs));
  return new TurnError('no_capacity', 'No upstream credential became free in time.', {
    layer: 'pool',
    retryAfterSeconds,
  });
}

/** The refusal of whoever asks a store that is closed. */
export const storeClosed = (): TurnError =>
  new TurnError('shutting_down', 'The service is shutting down.', { layer: 'pool', retryAfterSeconds: 1 });

/** Whole seconds for a `Retry-After`: at least 1, at most an hour. */
export function secondsUntil(untilMs: number, nowMs: number): number {
  return Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(1, Math.ceil((untilMs - nowMs) / 1000)));
}
