import { unusableAnswerReasons } from '@zai2api/dialects';
import type { ErrorCode, TurnError } from '@zai2api/turn';

/**
 * How an upstream is: `ok`; `degraded`: it serves, but not reliably; `challenged`: it asks for human verification; `blocked`: its edge
 * refuses us; `drifted`: its contract is no longer ours; `unknown`: nothing tells.
 */
export const upstreamStates = ['ok', 'degraded', 'challenged', 'blocked', 'drifted', 'unknown'] as const;
/** How an upstream is: see `upstreamStates`. */
export type UpstreamState = (typeof upstreamStates)[number];

/** How one try at an upstream went. */
export type TryOutcome = { readonly result: 'good' } | { readonly result: 'failed'; readonly error: TurnError };

/**
 * What a try says about the upstream. `good`: its contract is ours and it answers, if only with a refusal; `passing`: a fault that comes and
 * goes; `nothing`: the fault is ours, the client's or one identity's.
 */
export type Evidence = 'good' | 'passing' | 'challenged' | 'blocked' | 'drifted' | 'nothing';

const evidenceByCode: Record<ErrorCode, Evidence> = {
  upstream_challenged: 'challenged',
  upstream_blocked: 'blocked',
  upstream_drifted: 'drifted',
  upstream_busy: 'passing',
  upstream_failed: 'passing',
  upstream_unreachable: 'passing',
  upstream_timeout: 'passing',
  content_refused: 'good',
  // That of the account's level: nothing is wrong between us and the upstream.
  upstream_forbidden: 'nothing',
  model_not_found: 'nothing',
  invalid_request: 'nothing',
  unsupported: 'nothing',
  unauthenticated: 'nothing',
  forbidden: 'nothing',
  not_found: 'nothing',
  method_not_allowed: 'nothing',
  request_too_large: 'nothing',
  unsupported_media_type: 'nothing',
  rate_limited: 'nothing',
  no_capacity: 'nothing',
  shutting_down: 'nothing',
  cancelled: 'nothing',
  internal: 'nothing',
};

/** Reasons that say something else than their code. */
const evidenceByReason: ReadonlyMap<string, Evidence> = new Map<string, Evidence>([
  // The model's words were not what was asked for: the upstream itself did its part.
  ...unusableAnswerReasons.map((reason) => [reason, 'good'] as const),
  // A 403 that says no more: an account in disgrace, or all of us.
  ['upstream_forbidden', 'passing'],
  ['fair_use_restriction', 'passing'],
]);

/** What the outcome of a try says. */
export function evidenceOf(outcome: TryOutcome): Evidence {
  if (outcome.result === 'good') return 'good';
  const { code, details } = outcome.error;
  return evidenceByReason.get(details.reason ?? '') ?? evidenceByCode[code];
}

/** True for what the upstream will go on saying however often it is asked. */
export function isRefusal(evidence: Evidence): evidence is 'challenged' | 'blocked' | 'drifted' {
  return evidence === 'challenged' || evidence === 'blocked' || evidence === 'drifted';
}

/** One try that said something. */
export interface JudgedTry {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly evidence: Exclude<Evidence, 'nothing'>;
}

/** So many of the last tries are looked at. */
export const WINDOW = 10;
/** So many passing faults among them are no accident any more. */
const DEGRADED_FROM = 3;
/** What is older says nothing. Longer than any polite wait between two tries, so that a lasting state does not seem to go away by itself. */
export const EVIDENCE_MS = 30 * 60_000;

/** The tries with one more, as far as they can still matter: the last ones, and what the upstream last refused us for since it last served. */
export function rememberTry(tries: readonly JudgedTry[], next: JudgedTry): JudgedTry[] {
  // A success ends every refusal before it.
  const kept = next.evidence === 'good' ? tries.filter(({ evidence }) => !isRefusal(evidence)) : tries;
  const all = [...kept, next];
  const refusal = lastRefusal(all);
  const recent = all.slice(-WINDOW);
  return refusal === undefined || recent.includes(refusal) ? recent : [refusal, ...recent];
}

/**
 * The state that the tries of the last half hour speak of. A refusal counts at once and until the next success; passing faults count when
 * they are several, or when nothing speaks against them.
 */
export function judgeTries(tries: readonly JudgedTry[], nowMs: number): UpstreamState {
  const fresh = tries.filter(({ atMs }) => nowMs - atMs < EVIDENCE_MS);
  const refusal = lastRefusal(fresh)?.evidence;
  if (refusal !== undefined && isRefusal(refusal)) return refusal;
  const passing = fresh.filter(({ evidence }) => evidence === 'passing').length;
  const good = fresh.length - passing;
  if (passing >= DEGRADED_FROM || (passing > 0 && good === 0)) return 'degraded';
  return good > 0 ? 'ok' : 'unknown';
}

const lastRefusal = (tries: readonly JudgedTry[]): JudgedTry | undefined =>
  tries.findLast(({ evidence }) => isRefusal(evidence));
