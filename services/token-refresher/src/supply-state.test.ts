import { expect, it } from '@jest/globals';
import { createMemoryCredentialStore } from '@zai2api/credentials';
import { createLogger } from '@zai2api/runtime';
import { LONGEST_BACK_OFF_MS } from './back-off.ts';
import { createMemoryTickStateStore } from './memory-tick-state-store.ts';
import { createSupplyState } from './supply-state.ts';

it('waits no longer than the longest back-off for a state that a clock noted which was ahead', async () => {
  let nowMs = 1_000;
  const store = createMemoryCredentialStore({ now: () => nowMs });
  try {
    await store.setPoolState({ state: 'failing', untilMs: nowMs + 100 * LONGEST_BACK_OFF_MS, reason: 'x' });
    const supply = createSupplyState({
      store,
      stateStore: createMemoryTickStateStore(),
      logger: createLogger({ name: 'test', level: 'silent', format: 'json' }),
      now: () => nowMs,
      random: () => 0,
    });
    await supply.load();
    const expected = { state: 'failing', untilMs: nowMs + LONGEST_BACK_OFF_MS, reason: 'x' };
    expect([supply.current, await store.poolState()]).toEqual([expected, expected]);
    nowMs += LONGEST_BACK_OFF_MS;
    await supply.load();
    expect(supply.current).toEqual(expected);
  } finally {
    await store.close();
  }
});
