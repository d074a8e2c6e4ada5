import type { CredentialStore, PoolState } from '@zai2api/credentials';
import type { Logger } from '@zai2api/runtime';
import { createBackOff } from './back-off.ts';
import type { SupplyFault } from './supply-fault.ts';

/** The pool state as the refresher sees it: written to the store, and to the log once per change. */
export interface SupplyState {
  readonly current: PoolState;
  /** A try failed: no other one before the back-off is over. */
  fail(fault: SupplyFault): Promise<void>;
  /** Nothing is configured that could bring a credential in. */
  runDry(untilMs: number): Promise<void>;
  /** A try succeeded. */
  recover(): Promise<void>;
}

/** Starts in the state `ok`. */
export function createSupplyState(options: {
  store: CredentialStore;
  logger: Logger;
  now(): number;
  random(): number;
}): SupplyState {
  const { store, logger } = options;
  const backOff = createBackOff(options);
  let current: PoolState = { state: 'ok' };

  async function enter(next: PoolState): Promise<void> {
    const isChange = next.state !== current.state;
    current = next;
    await store.setPoolState(next);
    if (!isChange) return;
    if (next.state === 'ok') logger.info('credentials come in again');
    else {
      const { state, reason, untilMs } = next;
      logger.warn({ state, reason, retryInMs: Math.round(untilMs - options.now()) }, 'no new credentials come in');
    }
  }

  return {
    get current() {
      return current;
    },
    fail: (fault) => enter({ state: fault.state, untilMs: options.now() + backOff.next(fault), reason: fault.reason }),
    runDry: (untilMs) =>
      enter({ state: 'unsupplied', untilMs, reason: 'Guest tokens are off and no configured user token is valid.' }),
    async recover() {
      backOff.reset();
      if (current.state !== 'ok') await enter({ state: 'ok' });
    },
  };
}
