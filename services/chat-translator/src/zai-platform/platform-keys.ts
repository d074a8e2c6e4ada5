import {
  createMemoryCredentialStore,
  type CredentialStore,
  type Lease,
  type LeaseOutcome,
  type LeaseRequest,
} from '@zai2api/credentials';
import type { Logger, Secret } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { createRestNotes, laterRest, type RestNote } from './rest-notes.ts';

/** The API keys of the official API, comma separated; empty when there are none. */
export function readPlatformKeys(keys: Secret | undefined): string[] {
  const parts = (keys?.reveal() ?? '').split(',').map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}

/** The API keys of this process, as a store of credentials that says why it has none. */
export interface PlatformKeys extends CredentialStore {
  /** How long a key rests after a failure. The failure goes with it: it is what everybody hears while no key is left for the model. */
  outcomeOf(error: TurnError | undefined): LeaseOutcome;
}

/** A key that is refused is asked again by and by: it may have been renewed, or the account unlocked. */
const REFUSED_REST_MS = 10 * 60_000;
const LONGEST_QUOTA_REST_MS = 60 * 60_000;
const BUSY_REST_MS = 5_000;
const FAIR_USE = 'fair_use_restriction';

type Rest = Extract<LeaseOutcome, { result: 'busy' }> & { readonly why: TurnError };

/** What the keys are kept with. */
export interface PlatformKeysOptions {
  /** Turns that run on each key at once. */
  readonly concurrency: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * The keys, which share the turns. A key that met the limit of one model rests for that model alone. They are not shared through Redis: the
 * upstream counts what runs on a key, and says when it is too much. No key comes from anywhere else, so nobody waits for one that rests longer
 * than the wait.
 */
export function createPlatformKeys(
  keys: readonly string[],
  { concurrency, now, logger }: PlatformKeysOptions,
): PlatformKeys {
  const store = createMemoryCredentialStore({ now });
  const ids = keys.map((_key, index) => `key-${index + 1}`);
  /** The store keeps to the rests of whole keys itself; those of one model are kept here alone. */
  const wholeRests = createRestNotes(now);
  const modelRests = createRestNotes(now);
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

  const modelRestOf = (id: string, model: string | undefined): RestNote | undefined =>
    model === undefined ? undefined : modelRests.of(restName(id, model));

  /** Why none of the keys can be had by then, those that rest for this model alone by their own time; undefined when one may. */
  function refusal(
    { exclude, model }: LeaseRequest,
    byMs: { readonly whole: number; readonly model: number },
  ): TurnError | undefined {
    const rests: RestNote[] = [];
    for (const id of ids) {
      if (exclude?.has(id) === true) continue;
      const [whole, ofModel] = [wholeRests.of(id), modelRestOf(id, model)];
      const isBack = (whole?.untilMs ?? 0) <= byMs.whole && (ofModel?.untilMs ?? 0) <= byMs.model;
      const rest = laterRest(whole, ofModel);
      if (isBack || !rest) return undefined;
      rests.push(rest);
    }
    const [first] = rests.toSorted((one, other) => one.untilMs - other.untilMs);
    if (!first) return new TurnError('no_capacity', 'No API key is left to try.', { layer: 'pool' });
    const { recovery: _recovery, ...details } = first.why.details;
    const retryAfterSeconds = Math.max(1, Math.ceil((first.untilMs - now()) / 1000));
    return new TurnError(first.why.code, first.why.message, { ...details, retryAfterSeconds });
  }

  /** One try of the store, at most until a key has rested enough for this model; undefined: then it is to be asked again. */
  async function leaseOnce(request: LeaseRequest, deadlineMs: number): Promise<Lease | undefined> {
    const { model } = request;
    const resting = ids.filter((id) => modelRestOf(id, model));
    const ends = resting.flatMap((id) => modelRestOf(id, model)?.untilMs ?? []);
    const untilMs = Math.min(deadlineMs, ...ends);
    try {
      const exclude = new Set([...(request.exclude ?? []), ...resting]);
      const lease = await store.lease({ ...request, exclude, waitMs: Math.max(0, untilMs - now()) });
      // It may have begun to rest while this turn stood in line for it.
      if (!modelRestOf(lease.credential.id, model)) return lease;
      await lease.release({ result: 'good' });
    } catch (reason) {
      if (request.signal.aborted || TurnError.from(reason).code !== 'no_capacity') throw reason;
      // Keys that began to rest meanwhile say more than that the wait is over.
      if (untilMs >= deadlineMs) throw refusal(request, { whole: now(), model: now() }) ?? reason;
    }
    return undefined;
  }

  function takeRest(id: string, model: string | undefined, { coolDownMs, why }: Rest): LeaseOutcome {
    const note = { untilMs: now() + coolDownMs, why };
    if (why.details.reason === FAIR_USE) {
      logger.warn(
        { key: id, reason: FAIR_USE, restSeconds: coolDownMs / 1000 },
        'the official API restricts an account under its fair-use policy: its key is not used for a while',
      );
    }
    if (why.details.reach !== 'model') {
      wholeRests.add(id, note);
      return { result: 'busy', coolDownMs };
    }
    // Without a model there is nothing else that the key must not do.
    if (model !== undefined) modelRests.add(restName(id, model), note);
    return { result: 'good' };
  }

  return {
    ...store,
    async lease(request) {
      const { signal, waitMs, modelWaitMs = waitMs, model } = request;
      const deadlineMs = now() + waitMs;
      const byMs = { whole: deadlineMs, model: Math.min(deadlineMs, now() + modelWaitMs) };
      for (;;) {
        signal.throwIfAborted();
        const refused = refusal(request, byMs);
        if (refused) throw refused;
        const lease = await leaseOnce(request, deadlineMs);
        if (!lease) continue;
        const { id } = lease.credential;
        return {
          ...lease,
          release: (outcome) => lease.release(isRest(outcome) ? takeRest(id, model, outcome) : outcome),
        };
      }
    },
    outcomeOf(error) {
      const coolDownMs = error && restMsOf(error);
      return error === undefined || coolDownMs === undefined
        ? { result: 'good' }
        : ({ result: 'busy', coolDownMs, why: error } satisfies Rest);
    },
  };
}

/** The ids of keys hold no space. */
const restName = (id: string, model: string): string => `${id} ${model}`;

const isRest = (outcome: LeaseOutcome): outcome is Rest => outcome.result === 'busy' && 'why' in outcome;

/** Undefined: the failure says nothing about the key. */
function restMsOf({ details: { reason, retryAfterSeconds = 0 } }: TurnError): number | undefined {
  switch (reason) {
    case 'upstream_unauthorized':
    case 'upstream_forbidden':
      return REFUSED_REST_MS;
    case FAIR_USE:
      return Math.max(REFUSED_REST_MS, retryAfterSeconds * 1000);
    case 'insufficient_quota':
      return Math.min(LONGEST_QUOTA_REST_MS, Math.max(60_000, retryAfterSeconds * 1000));
    case 'upstream_concurrency':
    case 'upstream_rate_limited':
      return Math.max(BUSY_REST_MS, retryAfterSeconds * 1000);
    default:
      return undefined;
  }
}
