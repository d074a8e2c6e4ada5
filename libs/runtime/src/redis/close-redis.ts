import type { RedisClient } from './redis-client.ts';

/** A Redis that works says goodbye in milliseconds. */
const QUIT_TIMEOUT_MS = 1_000;

/** Lets the commands that were sent come to their end, then closes; cuts when `deadline` aborts or Redis does not answer. Never rejects. */
export async function closeRedis(client: RedisClient, deadline?: AbortSignal): Promise<void> {
  const cut = (): void => client.disconnect();
  if (client.status !== 'ready' || deadline?.aborted) {
    cut();
    return;
  }
  deadline?.addEventListener('abort', cut, { once: true });
  const timer = setTimeout(cut, QUIT_TIMEOUT_MS);
  await client.quit().catch(cut);
  clearTimeout(timer);
  deadline?.removeEventListener('abort', cut);
}
