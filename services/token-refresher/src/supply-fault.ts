import type { BadPoolState } from '@zai2api/credentials';
import { TurnError, type ErrorCode } from '@zai2api/turn';

/** The bad states that an answer of the upstream can put the supply into. */
export type SupplyFaultState = Exclude<BadPoolState, 'unsupplied'>;

/** Why no identity came. */
export interface SupplyFault {
  readonly state: SupplyFaultState;
  /** For the log: no secret, no upstream text. */
  readonly reason: string;
  /** The upstream's own wish, or the least that is polite; in milliseconds. */
  readonly retryAfterMs?: number;
}

/** Codes that are missing here are `failing`. */
const stateByCode: Partial<Record<ErrorCode, SupplyFaultState>> = {
  upstream_challenged: 'challenged',
  upstream_blocked: 'blocked',
  upstream_busy: 'rate-limited',
  rate_limited: 'rate-limited',
  upstream_forbidden: 'refused',
  upstream_drifted: 'drifted',
  upstream_unreachable: 'unreachable',
  upstream_timeout: 'unreachable',
};

/** True when the upstream said that it does not accept the token, or gives no session (401, 403). */
export function isRefusal(error: TurnError): boolean {
  return error.code === 'upstream_forbidden' || error.details.reason === 'upstream_unauthorized';
}

/** The system's name for what happened, such as ` (ENOTFOUND)`; empty when there is none. */
function causeOf({ cause }: TurnError): string {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}

/** The state that a failed call puts the supply into. */
export function toSupplyFault(reason: unknown): SupplyFault {
  const error = TurnError.from(reason);
  const { retryAfterSeconds } = error.details;
  return {
    state: isRefusal(error) ? 'refused' : (stateByCode[error.code] ?? 'failing'),
    reason: error.message + causeOf(error),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
  };
}

/** From the one that asks for most restraint to the one that asks for least. */
const bySeverity: readonly SupplyFaultState[] = [
  'challenged',
  'blocked',
  'rate-limited',
  'refused',
  'drifted',
  'failing',
  'unreachable',
];

/** The fault of several that asks for most restraint, with the longest wait among those of its kind. */
export function worstFault(faults: readonly SupplyFault[]): SupplyFault | undefined {
  const rank = ({ state, retryAfterMs = 0 }: SupplyFault): number =>
    bySeverity.indexOf(state) - Math.min(retryAfterMs, 1e9) / 1e10;
  return [...faults].sort((one, other) => rank(one) - rank(other))[0];
}
