import { setTimeout as wait } from 'node:timers/promises';
import type { Credential } from '@zai2api/credentials';
import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { keepLease, type KeptLease } from '../turn/keep-lease.ts';
import { createRetryPlan } from '../turn/retry-plan.ts';
import type { Upstream } from './upstream.ts';

/** How long a short call may wait, and how long it is tried. Milliseconds. */
export interface AskUpstreamOptions {
  readonly credentialWaitMs: number;
  readonly leaseMs: number;
  readonly retryBudgetMs: number;
  readonly logger: Logger;
  /** False: what may have been carried out, and paid for, is not asked again. Default: true. */
  readonly mayRepeat?: boolean;
}

/**
 * One short call on one upstream, on a credential of it that may ask for this model: tried again on another one where the failure is the
 * credential's, and once more after a passing fault if it may be repeated. Throws the last TurnError.
 */
export async function askUpstream<T>(
  { credentials, breaker, guard, outcomeOf, observe }: Upstream,
  model: string,
  work: (credential: Credential, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  options: AskUpstreamOptions,
): Promise<T> {
  const { credentialWaitMs, leaseMs, logger, mayRepeat = true } = options;
  const plan = createRetryPlan({
    budgetMs: options.retryBudgetMs,
    now: () => performance.now(),
    random: Math.random,
  });
  const tried = new Set<string>();

  async function run(kept: KeptLease): Promise<T> {
    const { credential } = kept.lease;
    const inForce = AbortSignal.any([signal, kept.lost]);
    try {
      const result = await guard.run(credential.id, () => work(credential, inForce));
      await kept.release(outcomeOf(undefined));
      observe({ result: 'good' });
      return result;
    } catch (reason) {
      const error = inForce.aborted ? TurnError.from(inForce.reason) : TurnError.from(reason);
      await kept.release(outcomeOf(error));
      observe({ result: 'failed', error });
      throw error;
    }
  }

  async function tryAll(): Promise<T> {
    let lastError: TurnError | undefined;
    for (;;) {
      const kept = await keepLease(credentials, {
        signal,
        waitMs: lastError ? 0 : credentialWaitMs,
        leaseMs,
        model,
        exclude: tried,
        logger,
      }).catch((reason: unknown) => {
        throw lastError ?? TurnError.from(reason);
      });
      try {
        return await run(kept);
      } catch (reason) {
        const error = TurnError.from(reason);
        const { recovery } = error.details;
        const isFinal = signal.aborted || recovery === undefined || (recovery === 'repeat' && !mayRepeat);
        const waitMs = isFinal ? undefined : plan.next(recovery);
        if (waitMs === undefined) throw error;
        if (recovery === 'other-credential') tried.add(kept.lease.credential.id);
        await wait(waitMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) throw TurnError.from(signal.reason);
        lastError = error;
      }
    }
  }

  return breaker.run(tryAll);
}
