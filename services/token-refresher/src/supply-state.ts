import type { CredentialStore, PoolState } from '@zai2api/credentials';
import type { Logger } from '@zai2api/runtime';
import { z } from 'zod';
import { backOffMs, LONGEST_BACK_OFF_MS } from './back-off.ts';
import type { SupplyFault } from './supply-fault.ts';
import type { TickStateStore } from './tick-state-store.ts';
import { createTickState } from './tick-state.ts';

/** The pool state as the refresher sees it: written to the store, and to the log once per change. */
export interface SupplyState {
  /** What the last tick left, which may have run in another replica. Before anything else in a tick. */
  load(): Promise<void>;
  readonly current: PoolState;
  /** A try failed: no other one before the back-off is over. */
  fail(fault: SupplyFault): Promise<void>;
  /** Nothing is configured that could bring a credential in. */
  markUnsupplied(untilMs: number): Promise<void>;
  /** A try succeeded. */
  recover(): Promise<void>;
}

/** Starts in the state `ok`. */
export function createSupplyState(options: {
  store: CredentialStore;
  stateStore: TickStateStore;
  logger: Logger;
  now(): number;
  random(): number;
}): SupplyState {
  const { store, logger } = options;
  const tickState = createTickState({
    stateStore: options.stateStore,
    name: 'supply',
    schema: z.object({ failures: z.int().min(0) }),
    emptyValue: { failures: 0 },
  });
  let current: PoolState = { state: 'ok' };
  let failures = 0;

  async function enter(next: PoolState, nextFailures: number): Promise<void> {
    const isChange = next.state !== current.state;
    const isOtherCount = nextFailures !== failures;
    current = next;
    failures = nextFailures;
    await store.setPoolState(next);
    if (isOtherCount) await tickState.write({ failures });
    if (!isChange) return;
    if (next.state === 'ok') logger.info('credentials come in again');
    else {
      const { state, reason, untilMs } = next;
      logger.warn({ state, reason, retryInMs: Math.round(untilMs - options.now()) }, 'no new credentials come in');
    }
  }

  return {
    async load() {
      const [loaded, noted] = await Promise.all([store.poolState(), tickState.read()]);
      failures = noted.failures;
      const latestMs = options.now() + LONGEST_BACK_OFF_MS;
      const isTooFar = loaded.state !== 'ok' && loaded.untilMs > latestMs;
      current = isTooFar ? { ...loaded, untilMs: latestMs } : loaded;
      // Written back: else the end would move on with the clock, and translators would go by the far one.
      if (isTooFar) await store.setPoolState(current);
    },
    get current() {
      return current;
    },
    fail(fault) {
      const untilMs = options.now() + backOffMs(fault, failures, () => options.random());
      return enter({ state: fault.state, untilMs, reason: fault.reason }, failures + 1);
    },
    markUnsupplied: (untilMs) =>
      enter(
        { state: 'unsupplied', untilMs, reason: 'Guest tokens are off and no configured user token is valid.' },
        failures,
      ),
    async recover() {
      if (current.state !== 'ok' || failures !== 0) await enter({ state: 'ok' }, 0);
    },
  };
}
