import type { ErrorCode, TurnError } from '@zai2api/turn';
import { evidenceOf } from '../status/judge-tries.ts';

/** What a failed turn says to a breaker. `good`: the upstream works, it only did not want this; `nothing`: the fault may be this request's alone. */
export type BreakerVerdict = 'good' | 'bad' | 'nothing';

const byCode: Partial<Record<ErrorCode, BreakerVerdict>> = {
  upstream_challenged: 'bad',
  upstream_blocked: 'bad',
  upstream_unreachable: 'bad',
  upstream_timeout: 'bad',
  upstream_failed: 'bad',
  // Limits are waited out by the credential that met them, or by the client.
  upstream_busy: 'good',
  upstream_forbidden: 'good',
  model_not_found: 'good',
  content_refused: 'good',
};

/** One client's requests that the upstream does not understand are no reason to keep all others from it: drift counts for nothing. */
export function verdictOf(error: TurnError): BreakerVerdict {
  if (evidenceOf({ result: 'failed', error }) === 'good') return 'good';
  // The key is at fault, or the token.
  if (error.details.reason === 'upstream_unauthorized') return 'nothing';
  return byCode[error.code] ?? 'nothing';
}
