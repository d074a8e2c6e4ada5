import { encodeCommonHeaders, type WebProfile } from '@zai2api/dialects';
import type { Credential } from '@zai2api/credentials';
import type { Logger } from '@zai2api/runtime';
import type { Dispatcher } from 'undici';
import { callUpstream } from './call-upstream.ts';

/** Deletes the chats of guests that are no longer used. Best effort: what fails is not tried again. */
export interface ChatCleaner {
  /** Queues a clean-up and returns at once. */
  clean(credential: Credential): void;
  /** Drops what waits, aborts what runs, resolves when nothing runs any more. Idempotent. */
  stop(): Promise<void>;
}

/** A clean-up is no reason to be a burden: at most so many at once. */
const MOST_AT_ONCE = 2;
/** While the upstream hangs, older clean-ups give way to newer ones. */
const MOST_WAITING = 100;
/** A clean-up is worth less patience than a session. */
const MAX_TIMEOUT_MS = 10_000;

/** `DELETE /api/v1/chats/` removes all chats of the identity (protocol 1.5). */
export function createChatCleaner(options: {
  dispatcher: Dispatcher;
  profile: WebProfile;
  timeoutMs: number;
  logger: Logger;
}): ChatCleaner {
  const { dispatcher, profile, logger } = options;
  const timeoutMs = Math.min(options.timeoutMs, MAX_TIMEOUT_MS);
  const controller = new AbortController();
  const waiting: Credential[] = [];
  const running = new Set<Promise<void>>();

  async function deleteChats({ id, token }: Credential): Promise<void> {
    try {
      const { status } = await callUpstream({
        dispatcher,
        method: 'DELETE',
        url: `${profile.base}/api/v1/chats/`,
        headers: encodeCommonHeaders(profile, token),
        timeoutMs,
        signal: controller.signal,
      });
      logger.debug({ credential: id, status }, 'chats of a retired guest deleted');
    } catch (error) {
      if (!controller.signal.aborted)
        logger.debug({ credential: id, err: error }, 'chats of a retired guest are left behind');
    }
  }

  function startMore(): void {
    while (running.size < MOST_AT_ONCE && !controller.signal.aborted) {
      const credential = waiting.shift();
      if (!credential) return;
      const run = deleteChats(credential).finally(() => {
        running.delete(run);
        startMore();
      });
      running.add(run);
    }
  }

  return {
    clean(credential) {
      if (controller.signal.aborted) return;
      waiting.push(credential);
      if (waiting.length > MOST_WAITING) waiting.shift();
      startMore();
    },
    async stop() {
      controller.abort();
      waiting.length = 0;
      await Promise.all(running);
    },
  };
}
