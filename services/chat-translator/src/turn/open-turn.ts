import { setTimeout as wait } from 'node:timers/promises';
import type { CredentialStore } from '@zai2api/credentials';
import type { Logger } from '@zai2api/runtime';
import { isContentEvent, TurnError, type Recovery, type TurnEvent } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';
import type { DriverTurn, UpstreamDriver } from '../upstream-driver.ts';
import { keepLease, type KeptLease } from './keep-lease.ts';
import { leaseOutcomeOf } from './lease-outcome.ts';

/** A turn whose answer has begun: from here on nothing is tried again. */
export interface OpenTurn {
  /** All batches, the held ones first. A `turn-error` in it came after content. Ends the upstream call when left early. */
  readonly batches: AsyncIterable<TurnEvent[]>;
  /** Gives the credential back; idempotent. To be called when the response closes, with the error that the turn ended in. */
  release(error?: TurnError): void;
}

export interface OpenTurnOptions {
  readonly driver: UpstreamDriver;
  readonly credentials: CredentialStore;
  readonly credentialWaitMs: number;
  readonly logger: Logger;
  readonly metrics: TranslatorMetrics;
}

/** A further try waits less for its credential: the client has waited already, and there may be no other one. */
const RETRY_CREDENTIAL_WAIT_MS = 6_000;
const MAX_TRIES = 6;
/** How often each kind of recovery is tried within one turn. */
const maxTriesByRecovery: Record<Recovery, number> = {
  'other-credential': MAX_TRIES - 1,
  'refresh-session': 1,
  repeat: 1,
};
/** Waits before a repeated try, plus up to as much again at random. */
const REPEAT_BACKOFF_MS = 250;

/**
 * Leases a credential, runs the turn and waits for the first content. What fails before that is tried again as the error's recovery
 * says: on another identity, with a fresh frontend version, or once more. Throws the last TurnError.
 */
export async function openTurn(turn: DriverTurn, signal: AbortSignal, options: OpenTurnOptions): Promise<OpenTurn> {
  const { driver, credentials, logger, metrics } = options;
  const tried = new Set<string>();
  const recoveries: Recovery[] = [];
  let lastError: TurnError | undefined;

  for (;;) {
    const kept = await lease();
    try {
      return await begin(kept);
    } catch (reason) {
      const error = signal.aborted ? TurnError.from(signal.reason) : TurnError.from(reason);
      await kept.release(leaseOutcomeOf(error));
      metrics.upstreamRequests.inc({ driver: driver.name, outcome: error.details.reason ?? error.code });
      const recovery = error.details.recovery;
      if (signal.aborted || recovery === undefined || !mayTryAgain(recovery)) throw error;
      lastError = error;
      recoveries.push(recovery);
      metrics.retries.inc({ driver: driver.name, recovery });
      logger.info(
        { code: error.code, reason: error.details.reason, recovery, tries: recoveries.length },
        'trying again',
      );
      // A busy identity only rests: the same one may be the next that is free. A refused token never is.
      if (error.details.reason === 'upstream_unauthorized') tried.add(kept.lease.credential.id);
      if (recovery === 'refresh-session') await driver.refresh(signal);
      if (recovery === 'repeat') await wait(REPEAT_BACKOFF_MS * (1 + Math.random()), undefined, { signal });
    }
  }

  async function lease(): Promise<KeptLease> {
    try {
      const waitMs = lastError
        ? Math.min(RETRY_CREDENTIAL_WAIT_MS, options.credentialWaitMs)
        : options.credentialWaitMs;
      const onFailure = (reason: unknown): void => logger.warn({ err: reason }, 'a lease was not given back in order');
      return await keepLease(credentials, { signal, waitMs, exclude: tried }, onFailure);
    } catch (reason) {
      const error = TurnError.from(reason);
      // Why the first identity failed says more than that there is no second one.
      throw signal.aborted ? error : (lastError ?? error);
    }
  }

  function mayTryAgain(recovery: Recovery): boolean {
    const used = recoveries.filter((each) => each === recovery).length;
    return recoveries.length + 1 < MAX_TRIES && used < maxTriesByRecovery[recovery];
  }

  async function begin(kept: KeptLease): Promise<OpenTurn> {
    const iterator = driver.run(turn, kept.lease.credential, signal)[Symbol.asyncIterator]();
    const held: TurnEvent[][] = [];
    for (;;) {
      const next = await iterator.next();
      if (next.done === true)
        throw new TurnError('internal', 'The driver ended without an answer.', { layer: 'internal' });
      const batch = next.value;
      held.push(batch);
      if (batch.some(isContentEvent)) break;
      const failed = batch.find((event) => event.type === 'turn-error');
      if (failed) {
        await iterator.return?.();
        throw failed.error;
      }
    }
    metrics.upstreamRequests.inc({ driver: driver.name, outcome: 'begun' });
    return { batches: resume(held, iterator), release: (error) => void kept.release(leaseOutcomeOf(error)) };
  }
}

async function* resume(held: TurnEvent[][], iterator: AsyncIterator<TurnEvent[]>): AsyncGenerator<TurnEvent[]> {
  try {
    yield* held;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
