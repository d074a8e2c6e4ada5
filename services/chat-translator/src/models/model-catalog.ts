import { builtInModels, resolveModel, type ResolvedModel, type UpstreamModel } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';

/** `live`: read within the cache time; `stale`: the last good list, the upstream failing since; `built-in`: the upstream was never reached. */
export type CatalogSource = 'live' | 'stale' | 'built-in';

/** The models on offer. */
export interface ModelCatalog {
  /** The list as it is known now, read anew when it is old; never fails and waits for at most one reading. */
  list(signal: AbortSignal): Promise<{ models: readonly UpstreamModel[]; source: CatalogSource }>;
  /** Where the known list comes from; asks nobody. */
  source(): CatalogSource;
  /** The model that a name means, as far as the list is known now; asks nobody. */
  known(name: string): ResolvedModel | undefined;
  /** Reads the list anew behind the scenes when it is old. */
  freshen(): void;
  /** The model that a name means. Throws `model_not_found` (param `model`). Waits for a reading only when the known list has no such name. */
  resolve(name: string, signal: AbortSignal): Promise<ResolvedModel>;
}

/** Where the models of one upstream come from, and how long they count. Milliseconds. */
export interface ModelCatalogOptions {
  /** Reads the upstream's list; has its own deadline. */
  readonly read: () => Promise<UpstreamModel[]>;
  readonly maxAgeMs: number;
  readonly now: () => number;
  /** Serves until the upstream was reached. Default: the web backend's. */
  readonly builtIn?: readonly UpstreamModel[];
  readonly onFailure: (reason: unknown) => void;
}

/** After a failed reading the upstream is left alone this long. */
const RETRY_AFTER_MS = 10_000;

/** A catalogue whose readings are shared by concurrent callers. */
export function createModelCatalog(options: ModelCatalogOptions): ModelCatalog {
  const { read, maxAgeMs, now, onFailure } = options;
  let models: readonly UpstreamModel[] = options.builtIn ?? builtInModels;
  let source: CatalogSource = 'built-in';
  let readAgainAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function readOnce(): Promise<void> {
    try {
      models = await read();
      source = 'live';
      readAgainAt = now() + maxAgeMs;
    } catch (reason) {
      if (source === 'live') source = 'stale';
      readAgainAt = now() + Math.min(RETRY_AFTER_MS, maxAgeMs);
      onFailure(reason);
    }
  }

  async function freshen(signal: AbortSignal): Promise<void> {
    if (now() < readAgainAt) return;
    reading ??= readOnce().finally(() => (reading = undefined));
    await untilAborted(reading, signal);
  }

  return {
    async list(signal) {
      await freshen(signal);
      return { models, source };
    },
    source: () => source,
    known: (name) => resolveModel(models, name),
    freshen: () => void freshen(new AbortController().signal).catch(() => undefined),
    async resolve(name, signal) {
      const known = resolveModel(models, name);
      if (known && source !== 'built-in') {
        void freshen(signal).catch(() => undefined);
        return known;
      }
      await freshen(signal);
      const resolved = resolveModel(models, name);
      if (resolved) return resolved;
      throw new TurnError(
        'model_not_found',
        `The model ${JSON.stringify(name.slice(0, 100))} does not exist. GET /v1/models lists those that do.`,
        {
          layer: 'client',
          param: 'model',
        },
      );
    },
  };
}

/** Rejects with the signal's reason when the caller leaves; the shared work goes on. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(TurnError.from(signal.reason));
  signal.addEventListener('abort', leave, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
