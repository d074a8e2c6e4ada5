import { setTimeout as wait } from 'node:timers/promises';
import type { Credential, CredentialStore, LeaseOutcome } from '@zai2api/credentials';
import type { Logger } from '@zai2api/runtime';
import { isContentEvent, TurnError, type TurnEvent, type TurnWarning } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';
import type { TryOutcome } from '../status/judge-tries.ts';
import { measureRun } from '../telemetry/measure-run.ts';
import type { DriverTurn, UpstreamDriver } from '../upstream-driver.ts';
import type { CredentialGuard } from '../upstreams/credential-guard.ts';
import { keepLease, type KeptLease } from './keep-lease.ts';
import { leaseOutcomeOf } from './lease-outcome.ts';
import { createRetryPlan, type RetryPlan } from './retry-plan.ts';
import { createTurnDeadline } from './try-deadlines.ts';

/** A turn whose answer has begun: from here on nothing is tried again. */
export interface OpenTurn {
  /** The driver that answers. */
  readonly driver: UpstreamDriver;
  /** What the request asked for in vain, of this driver's doing, too. */
  readonly warnings: readonly TurnWarning[];
  /** All batches, the held ones first. A `turn-error` in it came after content. Ends the upstream call when left early. */
  readonly batches: AsyncIterable<TurnEvent[]>;
  /** Gives the credential back; idempotent. To be called when the response closes, with the error that the turn ended in. */
  release(error?: TurnError): void;
}

/** On which upstream a turn is opened, and how long it may take to begin. Milliseconds. */
export interface OpenTurnOptions {
  readonly driver: UpstreamDriver;
  readonly credentials: CredentialStore;
  readonly credentialWaitMs: number;
  /** For credentials that rest for this model alone; as long as for others by default. */
  readonly modelWaitMs?: number;
  /** A process that ends or stands still blocks a slot for this long. */
  readonly leaseMs: number;
  /** No new try begins this long after the turn did. */
  readonly retryBudgetMs: number;
  /** The tries of a turn that has had some elsewhere already; a new one by default. */
  readonly plan?: RetryPlan;
  /** What the end of a turn says about its credential. */
  readonly outcomeOf?: (error: TurnError | undefined) => LeaseOutcome;
  /** Keeps credentials that fail again and again from being used. */
  readonly guard?: CredentialGuard;
  /** Hears how every try went: of its first content, and of its failure before or behind it. */
  readonly observe: (outcome: TryOutcome) => void;
  readonly logger: Logger;
  readonly metrics: TranslatorMetrics;
}

/** The identity is not at fault: it is at its limit, or was given to somebody else. */
const mayComeBack: ReadonlySet<string | undefined> = new Set(['upstream_concurrency', 'lease_lost']);

/** A further try waits less for its credential: the client has waited already, and there may be no other one. */
const RETRY_CREDENTIAL_WAIT_MS = 6_000;

/**
 * Leases a credential, runs the turn and waits for the first content. What fails before that is tried again as the error's recovery
 * says: on another identity, with a fresh frontend version, or once more; within bounds of number and time. Throws the last TurnError.
 */
export async function openTurn(turn: DriverTurn, caller: AbortSignal, options: OpenTurnOptions): Promise<OpenTurn> {
  const { driver, credentials, logger, metrics, observe, guard, outcomeOf = leaseOutcomeOf } = options;
  const deadline = createTurnDeadline(turn.timeouts.total, caller);
  const { signal } = deadline;
  const plan =
    options.plan ??
    createRetryPlan({ budgetMs: options.retryBudgetMs, now: () => performance.now(), random: Math.random });
  const tried = new Set<string>();
  let lastError: TurnError | undefined;

  try {
    for (;;) {
      const kept = await lease();
      try {
        return await (guard ? guard.run(kept.lease.credential.id, () => begin(kept)) : begin(kept));
      } catch (reason) {
        const error = signal.aborted ? TurnError.from(signal.reason) : TurnError.from(reason);
        await kept.release(outcomeOf(error));
        metrics.upstreamRequests.inc({ driver: driver.name, outcome: error.details.reason ?? error.code });
        observe({ result: 'failed', error });
        await recover(error, kept);
        lastError = error;
      }
    }
  } catch (reason) {
    deadline.close();
    throw reason;
  }

  /** Prepares the next try. Throws the error when there is to be none, or the end of the turn. */
  async function recover(error: TurnError, { lease: { credential } }: KeptLease): Promise<void> {
    const { recovery, reason } = error.details;
    const waitMs = signal.aborted || recovery === undefined ? undefined : plan.next(recovery);
    if (recovery === undefined || waitMs === undefined) throw error;
    metrics.retries.inc({ driver: driver.name, recovery });
    logger.info({ code: error.code, reason, recovery, waitMs }, 'trying again');
    // A busy identity only rests: the same one may be the next that is free. One that is refused never is.
    if (recovery === 'other-credential' && !mayComeBack.has(reason)) tried.add(credential.id);
    if (recovery === 'refresh-session') await driver.refresh(signal);
    if (waitMs > 0) await wait(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw TurnError.from(signal.reason);
    if (plan.leftMs() === 0) throw error;
  }

  async function lease(): Promise<KeptLease> {
    try {
      const waitMs = lastError
        ? Math.min(RETRY_CREDENTIAL_WAIT_MS, options.credentialWaitMs, plan.leftMs())
        : options.credentialWaitMs;
      const kinds = await neededKinds(turn, credentials);
      return await keepLease(credentials, {
        signal,
        waitMs,
        model: turn.model.upstreamId,
        ...(options.modelWaitMs === undefined ? {} : { modelWaitMs: options.modelWaitMs }),
        leaseMs: options.leaseMs,
        exclude: guard ? new Set([...tried, ...(await guard.excluded(credentials))]) : tried,
        ...(kinds && { kinds }),
        logger,
      });
    } catch (reason) {
      const error = TurnError.from(reason);
      // Why the first identity failed says more than that there is no second one.
      throw signal.aborted ? error : (lastError ?? error);
    }
  }

  async function begin(kept: KeptLease): Promise<OpenTurn> {
    const inForce = AbortSignal.any([signal, kept.lost]);
    const run = driver.run(turn, kept.lease.credential, inForce)[Symbol.asyncIterator]();
    const iterator = measureRun(run, { model: turn.model.id, signal: inForce }, metrics);
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
    observe({ result: 'good' });
    observeEnd(held.at(-1) ?? []);
    return {
      driver,
      warnings: held.flat().find((event) => event.type === 'turn-start')?.warnings ?? [],
      batches: resume(held, iterator),
      release(error) {
        deadline.close();
        void kept.release(outcomeOf(error));
      },
    };
  }

  function observeEnd(batch: readonly TurnEvent[]): void {
    const last = batch.at(-1);
    if (last?.type === 'turn-error') observe({ result: 'failed', error: last.error });
  }

  async function* resume(held: TurnEvent[][], iterator: AsyncIterator<TurnEvent[]>): AsyncGenerator<TurnEvent[]> {
    try {
      yield* held;
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) return;
        observeEnd(next.value);
        yield next.value;
      }
    } finally {
      deadline.close();
      await iterator.return?.();
    }
  }
}

/** Guests may not send files (protocol 7): where there are users, such a turn waits for one of them. Undefined: anybody will do. */
async function neededKinds(
  { media }: DriverTurn,
  credentials: CredentialStore,
): Promise<ReadonlySet<Credential['kind']> | undefined> {
  if (media.length === 0) return undefined;
  // A store that cannot be asked says so to the lease, too, which may know another one.
  const users = await credentials.ids('user').catch(() => []);
  return users.length > 0 ? new Set(['user']) : undefined;
}
