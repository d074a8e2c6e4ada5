import { TurnError } from '@zai2api/turn';

const REASON = 'response_store_unavailable';
const RETRY_AFTER_SECONDS = 5;

/** The refusal of what cannot be done without the store of responses. `fault` is for the log and holds no arguments of commands. */
export function responseStoreUnavailable(fault: string): TurnError {
  return new TurnError('no_capacity', 'Stored responses cannot be reached at the moment.', {
    layer: 'internal',
    reason: REASON,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause: new Error(fault),
  });
}

/** True for those refusals: the store could not be asked, as opposed to having nothing. */
export const isResponseStoreUnavailable = (reason: unknown): boolean =>
  TurnError.is(reason) && reason.details.reason === REASON;
