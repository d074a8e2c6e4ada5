import { setTimeout as wait } from 'node:timers/promises';
import type { CredentialStore } from '@zai2api/credentials';

/** How soon a store that did not answer is asked again. */
const PAUSE_MS = 100;

/**
 * Resolves when the store answers, at the latest after `withinMs` and a command's time, or when `signal` aborts. So a process that starts on a
 * busy machine takes no requests that it could only refuse, and one whose store is away serves what needs no store. Never rejects.
 */
export async function waitForStore(
  store: Pick<CredentialStore, 'counts'>,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (performance.now() < deadlineMs && !signal.aborted) {
    const isThere = await store.counts().then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await wait(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}
