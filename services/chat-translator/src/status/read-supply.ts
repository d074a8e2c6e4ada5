import type { CredentialStore } from '@zai2api/credentials';
import { within } from '@zai2api/runtime';
import type { Supply } from './judge-supply.ts';

/** Whoever asks how things are does not wait for a store that hangs. */
const MAX_WAIT_MS = 1_000;

/** The supply as the store tells it; undefined when it fails or does not answer. */
export async function readSupply(store: Pick<CredentialStore, 'counts' | 'poolState'>): Promise<Supply | undefined> {
  const reading = Promise.all([store.poolState(), store.counts()]);
  try {
    const [poolState, counts] = (await within(reading, MAX_WAIT_MS)) ?? [];
    return poolState && counts ? { poolState, counts } : undefined;
  } catch {
    return undefined;
  }
}
