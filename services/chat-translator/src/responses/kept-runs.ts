import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';
import { startKeptRun, type KeptRun, type StartedRun } from './kept-run.ts';
import { RENEW_INTERVAL_MS, type ResponseStore } from './response-store.ts';

/** The responses that this process runs on their own account. */
export interface KeptRuns {
  /**
   * Takes a response over. The texts are all that is written of it, for one reader. When the reader leaves, it goes on in the background, or
   * is called off when there is no place for it.
   */
  start(run: KeptRun): AsyncIterable<string>;
  /**
   * A place for a response that is about to be started in the background; undefined when there is none, three quarters of all being the most
   * for one key. To be given back, by calling what is returned, once the response was started, or is not going to be.
   */
  reserveBackground(tenant: string): (() => void) | undefined;
  /** Waits for all that run now; those that are left at the deadline have failed. May be called again. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Where the runs of a process are kept and counted. */
export interface KeptRunsOptions {
  readonly store: ResponseStore;
  readonly logger: Logger;
  readonly metrics: Pick<TranslatorMetrics, 'keptRuns' | 'keptResponses'>;
  /** The most that run while nobody need read along: those asked for in the background, and those whose client left. */
  readonly maxBackground: number;
}

/** Part of the background that one key may have, so that there is room for others. */
const MAX_SHARE = 3 / 4;

/** The runs of one process, and the sign of life that other processes see of them. */
export function createKeptRuns({ store, logger, metrics, maxBackground }: KeptRunsOptions): KeptRuns {
  const runs = new Map<
    string,
    StartedRun & Pick<KeptRun, 'tenant' | 'abort'> & { readonly isInBackground: () => boolean }
  >();
  // For as long as the store lives.
  store.onTaken((id) => runs.get(id)?.take());
  let timer: NodeJS.Timeout | undefined;
  /** Responses on their way into the background: getting there takes a while, in which others come. */
  const reserved = new Set<Pick<KeptRun, 'tenant'>>();

  function renewAll(): void {
    for (const [id, run] of runs) {
      store.renew(id).then(
        (hold) => {
          // One that has come to its end meanwhile was not taken by anybody. What is lost is found out with the next event.
          if (hold === 'taken' && runs.get(id) === run) run.take();
        },
        () => undefined,
      );
    }
  }

  function hasPlace(tenant: string): boolean {
    const all = [...reserved, ...[...runs.values()].filter((run) => run.isInBackground())];
    const own = all.filter((each) => each.tenant === tenant);
    return all.length < maxBackground && own.length < Math.ceil(maxBackground * MAX_SHARE);
  }

  function forget(id: string): void {
    runs.delete(id);
    if (runs.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    start(run) {
      const { id, tenant, abort } = run;
      let isInBackground = run.background;
      const count = (change: number): void => metrics.keptRuns.inc({ background: String(isInBackground) }, change);
      count(1);
      const started = startKeptRun(run, {
        store,
        maxSize: store.maxResponseSize,
        logger,
        onLost(reason) {
          metrics.keptResponses.inc({ outcome: reason });
          if (reason === 'too-large') logger.warn({ responseId: id }, 'a response has become too large to be kept');
          if (reason === 'lost')
            logger.warn({ responseId: id }, 'a response is not kept any more: its store lost its memory');
        },
        moveToBackground() {
          if (!hasPlace(tenant)) {
            logger.info({ responseId: id }, 'a response is called off: its client left, and the background is full');
            return false;
          }
          count(-1);
          isInBackground = true;
          count(1);
          return true;
        },
      });
      runs.set(id, { ...started, tenant, abort, isInBackground: () => isInBackground });
      timer ??= setInterval(renewAll, RENEW_INTERVAL_MS).unref();
      void started.over.then(() => {
        count(-1);
        forget(id);
      });
      return started.texts;
    },
    reserveBackground(tenant) {
      if (!hasPlace(tenant)) return undefined;
      const place = { tenant };
      reserved.add(place);
      return () => void reserved.delete(place);
    },
    async stop(deadline) {
      if (runs.size > 0) logger.info({ responses: runs.size }, 'waiting for responses that are kept');
      const abortAll = (): void => {
        for (const { abort } of runs.values()) abort(shuttingDown());
      };
      if (deadline.aborted) abortAll();
      deadline.addEventListener('abort', abortAll, { once: true });
      while (runs.size > 0) await Promise.all([...runs.values()].map(({ over }) => over));
      deadline.removeEventListener('abort', abortAll);
    },
  };
}

const shuttingDown = (): TurnError =>
  new TurnError('shutting_down', 'The server was stopped before the response was complete.', { layer: 'internal' });
