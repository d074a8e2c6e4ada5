import { unusableAnswerReasons } from '@zai2api/dialects';
import type { ErrorCode, TurnError } from '@zai2api/turn';
import type { ModelRoute } from '../models/model-directory.ts';

/**
 * How far a failure before the first content reaches. `none`: every upstream would say the same, or nobody may ask again; `model`: another
 * model may do, here or elsewhere; `upstream`: nothing more is to be had of this upstream for this turn.
 */
export type FailureScope = 'none' | 'model' | 'upstream';

const scopeByCode: Record<ErrorCode, FailureScope> = {
  upstream_challenged: 'upstream',
  upstream_blocked: 'upstream',
  upstream_drifted: 'upstream',
  upstream_unreachable: 'upstream',
  upstream_timeout: 'upstream',
  upstream_busy: 'upstream',
  no_capacity: 'upstream',
  upstream_failed: 'model',
  upstream_forbidden: 'model',
  model_not_found: 'model',
  // What the client said, or what nobody may say again.
  content_refused: 'none',
  invalid_request: 'none',
  unsupported: 'none',
  request_too_large: 'none',
  unauthenticated: 'none',
  forbidden: 'none',
  not_found: 'none',
  method_not_allowed: 'none',
  unsupported_media_type: 'none',
  rate_limited: 'none',
  shutting_down: 'none',
  cancelled: 'none',
  internal: 'none',
};

/** Reasons that reach less far, or farther, than their code. */
const scopeByReason: ReadonlyMap<string, FailureScope> = new Map<string, FailureScope>([
  ['model_busy', 'model'],
  ['upstream_unauthorized', 'upstream'],
  // The account, not one model of it.
  ['upstream_forbidden', 'upstream'],
  ['fair_use_restriction', 'upstream'],
  // A value that one upstream does not take may mean something to another.
  ['refused_by_upstream', 'upstream'],
  ['image_input_needs_user_token', 'upstream'],
  ['video_input_needs_user_token', 'upstream'],
  ['file_input_needs_user_token', 'upstream'],
  // The model was asked twice already (contract 1.5).
  ...unusableAnswerReasons.map((reason) => [reason, 'none'] as const),
]);

/** How far a failure reaches. */
export function failureScope({ code, details }: TurnError): FailureScope {
  return details.reach ?? scopeByReason.get(details.reason ?? '') ?? scopeByCode[code];
}

/** From what passes by itself and soon to what only the operator can change. */
const byHope: readonly ((error: TurnError) => boolean)[] = [
  ({ code, details }) => code === 'upstream_busy' && details.reason !== 'insufficient_quota',
  ({ code, details }) => code === 'no_capacity' && details.reason !== 'no_credentials',
  ({ code, details }) => code === 'upstream_failed' && details.reason !== 'upstream_unauthorized',
  ({ code }) => code === 'upstream_timeout',
  ({ code }) => code === 'upstream_unreachable',
  ({ details }) => details.reason === 'insufficient_quota',
  ({ code }) => code === 'upstream_challenged',
  ({ code }) => code === 'upstream_blocked',
  () => true,
];

/** Of the failures of all upstreams, the one that tells the client best when and whether to come back; of two alike, the first. */
export function mostHopeful(errors: readonly [TurnError, ...TurnError[]]): TurnError {
  for (const isSuch of byHope) {
    const found = errors.find(isSuch);
    if (found) return found;
  }
  return errors[0];
}

/** The routes whose model can look at what the request brings; all of them when none can: the first one then says why not. */
export function routesFor(
  routes: readonly ModelRoute[],
  { needsVision }: { readonly needsVision: boolean },
): readonly ModelRoute[] {
  const able = needsVision ? routes.filter(({ model }) => model.capabilities.vision) : routes;
  return able.length > 0 ? able : routes;
}
