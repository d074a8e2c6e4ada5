import { createMemoryCredentialStore, type CredentialStore, type LeaseOutcome } from '@zai2api/credentials';
import type { Secret } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';

/** The API keys of the official API, comma separated; empty when there are none. */
export function readPlatformKeys(keys: Secret | undefined): string[] {
  const parts = (keys?.reveal() ?? '').split(',').map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}

/** The API keys of this process, as a store of credentials that says why it has none. */
export interface PlatformKeys extends CredentialStore {
  /** How long a key rests after a failure. The failure goes with it: it is what everybody hears while no key is left. */
  outcomeOf(error: TurnError | undefined): LeaseOutcome;
}

/** A key that is refused is asked again by and by: it may have been renewed, or the account unlocked. */
const REFUSED_REST_MS = 10 * 60_000;
const LONGEST_QUOTA_REST_MS = 60 * 60_000;
const BUSY_REST_MS = 5_000;

type Rest = Extract<LeaseOutcome, { result: 'busy' }> & { readonly why: TurnError };

/**
 * The keys, which share the turns; `concurrency` turns run on each at once. They are not shared through Redis: the upstream counts what runs on
 * a key, and says when it is too much. No key comes from anywhere else, so nobody waits for one that rests longer than the wait.
 */
export function createPlatformKeys(
  keys: readonly string[],
  { concurrency, now }: { readonly concurrency: number; readonly now: () => number },
): PlatformKeys {
  const store = createMemoryCredentialStore({ now });
  const ids = keys.map((_key, index) => `key-${index + 1}`);
  const resting = new Map<string, { readonly untilMs: number; readonly why: TurnError }>();
  for (const [index, token] of keys.entries()) {
    void store.put({
      id: ids[index] ?? '',
      kind: 'user',
      token,
      userId: '',
      userName: '',
      createdAtMs: now(),
      expiresAtMs: Infinity,
      concurrency,
    });
  }

  /** Why none of these keys can be had within the wait; undefined when one may. */
  function refusal(candidates: readonly string[], waitMs: number): TurnError | undefined {
    const rests = candidates.flatMap((id) => resting.get(id) ?? []);
    const [first] = rests.toSorted((one, other) => one.untilMs - other.untilMs);
    if (rests.length < candidates.length || (first && first.untilMs <= now() + waitMs)) return undefined;
    if (!first) return new TurnError('no_capacity', 'No API key is left to try.', { layer: 'pool' });
    const { recovery: _recovery, ...details } = first.why.details;
    const retryAfterSeconds = Math.max(1, Math.ceil((first.untilMs - now()) / 1000));
    return new TurnError(first.why.code, first.why.message, { ...details, retryAfterSeconds });
  }

  return {
    ...store,
    async lease(request) {
      request.signal.throwIfAborted();
      const candidates = ids.filter((id) => request.exclude?.has(id) !== true);
      const refused = refusal(candidates, request.waitMs);
      if (refused) throw refused;
      const lease = await store.lease(request);
      const { id } = lease.credential;
      return {
        ...lease,
        async release(outcome) {
          if (isRest(outcome)) resting.set(id, { untilMs: now() + outcome.coolDownMs, why: outcome.why });
          else resting.delete(id);
          await lease.release(outcome);
        },
      };
    },
    outcomeOf(error) {
      const coolDownMs = error && restMsOf(error);
      return error === undefined || coolDownMs === undefined
        ? { result: 'good' }
        : ({ result: 'busy', coolDownMs, why: error } satisfies Rest);
    },
  };
}

const isRest = (outcome: LeaseOutcome): outcome is Rest => outcome.result === 'busy' && 'why' in outcome;

/** Undefined: the failure says nothing about the key. */
function restMsOf({ details: { reason, retryAfterSeconds = 0 } }: TurnError): number | undefined {
  switch (reason) {
    case 'upstream_unauthorized':
    case 'upstream_forbidden':
      return REFUSED_REST_MS;
    case 'insufficient_quota':
      return Math.min(LONGEST_QUOTA_REST_MS, Math.max(60_000, retryAfterSeconds * 1000));
    case 'upstream_concurrency':
    case 'upstream_rate_limited':
      return Math.max(BUSY_REST_MS, retryAfterSeconds * 1000);
    default:
      return undefined;
  }
}
