import { createMemoryCredentialStore, type CredentialStore } from '@zai2api/credentials';
import type { Secret } from '@zai2api/runtime';

/** The API keys of the official API, comma separated; empty when there are none. */
export function readPlatformKeys(keys: Secret | undefined): string[] {
  const parts = (keys?.reveal() ?? '').split(',').map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}

/**
 * The API keys as credentials of this process. Several share the turns; one that is at its limit rests. They are not shared through Redis:
 * the upstream counts what runs on a key, and says so.
 */
export function openPlatformKeys(
  keys: readonly string[],
  { concurrency, now }: { readonly concurrency: number; readonly now: () => number },
): CredentialStore {
  const store = createMemoryCredentialStore({ now });
  for (const [index, token] of keys.entries()) {
    void store.put({
      id: `key-${index + 1}`,
      kind: 'user',
      token,
      userId: '',
      userName: '',
      createdAtMs: now(),
      expiresAtMs: Infinity,
      concurrency,
    });
  }
  return store;
}
