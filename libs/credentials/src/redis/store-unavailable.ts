import { TurnError } from '@zai2api/turn';

const REASON = 'store_unavailable';
/** Redis is back within moments or after somebody has acted: soon enough for the one, not too often for the other. */
const RETRY_AFTER_SECONDS = 5;

/** The refusal of a turn while the shared store cannot be asked. `fault` is for the log and holds no arguments of commands. */
export function storeUnavailable(fault: string): TurnError {
  return new TurnError('no_capacity', 'The store of upstream credentials cannot be reached.', {
    layer: 'pool',
    reason: REASON,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause: new Error(`redis: ${fault}`),
  });
}

/** True for the errors of `storeUnavailable`: the store could not be asked, as opposed to having nothing to give. */
export const isStoreUnavailable = (reason: unknown): boolean =>
  TurnError.is(reason) && reason.details.reason === REASON;
