import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';
import { startKeptRun, type KeptRun, type StartedRun } from './kept-run.ts';
import { RENEW_INTERVAL_MS, type ResponseStore } from './response-store.ts';

/** The responses that this process runs on their own account. */
export interface KeptRuns {
  /** Takes a response over. The texts are all that is written of it, for one reader, who may leave without ending it. */
  start(run: KeptRun): AsyncIterable<string>;
  /**
   * A place for a response that is about to be started in the background, while there are fewer than `most`, three quarters of them for one
   * key; undefined when there is none. To be given back, by calling what is returned, once the response was started, or is not going to be.
   */
  reserveBackground(tenant: string, most: number): (() => void) | undefined;
  /** Waits for all that run now; those that are left at the deadline have failed. May be called again. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Where the runs of a process are kept and counted. */
export interface KeptRunsOptions {
  readonly store: ResponseStore;
  readonly logger: Logger;
  readonly metrics: Pick<TranslatorMetrics, 'keptRuns' | 'keptResponses'>;
}

/** Part of the background that one key may have, so that there is room for others. */
const MAX_SHARE = 3 / 4;

/** The runs of one process, and the sign of life that other processes see of them. */
export function createKeptRuns({ store, logger, metrics }: KeptRunsOptions): KeptRuns {
  const runs = new Map<string, StartedRun & Pick<KeptRun, 'tenant' | 'background' | 'abort'>>();
  // For as long as the store lives.
  store.onTaken((id) => runs.get(id)?.take());
  let timer: NodeJS.Timeout | undefined;
  /** Responses on their way into the background: getting there takes a while, in which others come. */
  const reserved = new Set<Pick<KeptRun, 'tenant'>>();

  function renewAll(): void {
    for (const [id, run] of runs) {
      store.renew(id).then(
        (isOurs) => {
          // One that has come to its end meanwhile was not taken by anybody.
          if (!isOurs && runs.get(id) === run) run.take();
        },
        () => undefined,
      );
    }
  }

  function forget(id: string): void {
    runs.delete(id);
    if (runs.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    start(run) {
      const { id, tenant, background, abort } = run;
      const kind = { background: String(background) };
      metrics.keptRuns.inc(kind);
      const started = startKeptRun(run, {
        store,
        maxSize: store.maxResponseSize,
        logger,
        onLost(reason) {
          metrics.keptResponses.inc({ outcome: reason });
          if (reason === 'too-large') logger.warn({ responseId: id }, 'a response has become too large to be kept');
        },
      });
      runs.set(id, { ...started, tenant, background, abort });
      timer ??= setInterval(renewAll, RENEW_INTERVAL_MS).unref();
      void started.over.then(() => {
        metrics.keptRuns.dec(kind);
        forget(id);
      });
      return started.texts;
    },
    reserveBackground(tenant, most) {
      const all = [...reserved, ...[...runs.values()].filter((run) => run.background)];
      const own = all.filter((each) => each.tenant === tenant);
      if (all.length >= most || own.length >= Math.ceil(most * MAX_SHARE)) return undefined;
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
