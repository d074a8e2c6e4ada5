import type { LeaseOutcome } from '@zai2api/credentials';
import type { TurnError } from '@zai2api/turn';

/** How long an identity rests after the upstream said that too much runs on it. */
const BUSY_COOL_DOWN_MS = 5_000;
/** How long an identity rests after a verification demand: asking again soon only prolongs it. */
const CHALLENGED_COOL_DOWN_MS = 10 * 60_000;

/** What a turn's end says about the credential it used; without an error, nothing bad. */
export function leaseOutcomeOf(error: TurnError | undefined): LeaseOutcome {
  if (error?.code === 'upstream_challenged') return { result: 'challenged', coolDownMs: CHALLENGED_COOL_DOWN_MS };
  if (error?.details.reason === 'upstream_unauthorized') return { result: 'dead' };
  if (error?.details.reason === 'upstream_concurrency') return { result: 'busy', coolDownMs: BUSY_COOL_DOWN_MS };
  return { result: 'good' };
}
