import { encodeLastEvent, encodeResponsesErrorFrame, parseResponse, STREAM_END } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { concludeDead } from './conclude-kept.ts';
import { framesFrom } from './event-batches.ts';
import type { KeptEvents, ResponseStore } from './response-store.ts';
import { isResponseStoreUnavailable } from './store-unavailable.ts';

/** Which response is followed, by whom, and from where on. */
export interface FollowOptions {
  readonly store: ResponseStore;
  readonly id: string;
  readonly tenant: string;
  /** Number of the last event that the reader has; -1 for none. */
  readonly after: number;
  readonly signal: AbortSignal;
}

/** How a response can have ended without its process. */
const endedFromOutside: ReadonlySet<string> = new Set(['failed', 'cancelled']);
/** How long to wait for news before looking all the same: news are hints. */
const LOOK_INTERVAL_MS = 1_000;

/**
 * The events of a kept response behind `after`, with the numbers that they had at first; then those that come, wherever it runs, up to its
 * end (contract 2.2). A store that does not answer is waited for; a response that is deleted meanwhile ends in an error event.
 */
export async function* followResponse(options: FollowOptions): AsyncGenerator<string> {
  const { store, id, tenant, after, signal } = options;
  const news = listenForNews(store, id, signal);
  let next = after + 1;
  try {
    while (!signal.aborted) {
      const found = await look(next);
      for (const batch of found?.batches ?? []) {
        yield framesFrom(batch, next);
        next = batch.last + 1;
      }
      if (found?.state === 'gone') {
        const error = new TurnError('not_found', 'The response is not kept any more.', { layer: 'client' });
        yield encodeResponsesErrorFrame(error, next);
        return;
      }
      if (found && found.batches.length > 0) continue;
      if (found?.state === 'over') {
        yield next === after + 1 ? await repeatEnd() : '';
        yield STREAM_END;
        return;
      }
      // Whatever keeps it from being concluded, it is not asked again and again without a pause.
      if (found?.state === 'dead') await concludeDead(store, id, tenant).catch(() => news.wait());
      else await news.wait();
    }
  } finally {
    news.stop();
  }

  async function look(from: number): Promise<KeptEvents | undefined> {
    try {
      return await store.readEvents(id, from);
    } catch (reason) {
      if (isResponseStoreUnavailable(reason)) return undefined;
      throw reason;
    }
  }

  /**
   * A reader who was nearer to a process that died than the store was has events that were never kept: its number is ahead of that of the
   * end. It is told of the end with the number that comes next for it.
   */
  async function repeatEnd(): Promise<string> {
    const kept = await store.read(id, tenant);
    if (!kept || after < 0 || !endedFromOutside.has(parseResponse(kept.response).status)) return '';
    const { before, after: behind } = encodeLastEvent(kept.response);
    return `${before}${after + 1}${behind}`;
  }
}

/** Waits for the next hint, which may have come before anybody waited for it. */
function listenForNews(store: ResponseStore, id: string, signal: AbortSignal): { wait(): Promise<void>; stop(): void } {
  let hasNews = false;
  let wake: (() => void) | undefined;
  const onNews = (): void => {
    hasNews = true;
    wake?.();
  };
  const stop = store.onNews(id, onNews);
  signal.addEventListener('abort', onNews, { once: true });
  return {
    async wait() {
      if (!hasNews) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_INTERVAL_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      hasNews = false;
      wake = undefined;
    },
    stop() {
      signal.removeEventListener('abort', onNews);
      stop();
    },
  };
}
