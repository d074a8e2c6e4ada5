import { findFrontendVersion } from '@zai2api/dialects';

/** The version in use, and where it comes from. */
export interface FrontendVersionReading {
  readonly version: string;
  /** `live`: read from the upstream's start page; `configured`: it was never read there. */
  readonly source: 'live' | 'configured';
  /** When it was last read live, in milliseconds since the epoch. */
  readonly readAtMs?: number;
}

/** Where the current frontend version is known from. */
export interface FrontendVersion {
  /** The version as it is known now; asks nobody. */
  latest(): FrontendVersionReading;
  /** The version read live, at most half an hour old, else the configured one. Never throws; waits only for the first reading. */
  current(signal: AbortSignal): Promise<string>;
  /** Reads it again now: an answer said that it is stale. Never throws. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Reads it again behind the scenes, at most once a minute: a blocked request may mean that it is stale (protocol 8.2). */
  suspect(): void;
}

/** Peers keep it for 15 to 60 minutes (protocol 4.4). */
const MAX_AGE_MS = 30 * 60_000;
/** After a failed reading the next one waits this long: the configured version serves meanwhile. */
const RETRY_AFTER_MS = 60_000;

/** `readPage` fetches the upstream's start page; it has its own deadline, as the reading is shared and no caller's to end. Readings are shared by concurrent callers. */
export function createFrontendVersion(options: {
  readonly fallback: string;
  readonly now: () => number;
  readonly readPage: () => Promise<string>;
  readonly onReading?: (version: string | undefined) => void;
}): FrontendVersion {
  const { fallback, now, readPage, onReading } = options;
  let latest: FrontendVersionReading = { version: fallback, source: 'configured' };
  let readAgainAt = Number.NEGATIVE_INFINITY;
  let suspectAgainAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    let found: string | undefined;
    try {
      found = findFrontendVersion(await readPage());
    } catch {
      found = undefined;
    }
    if (found !== undefined) latest = { version: found, source: 'live', readAtMs: now() };
    readAgainAt = now() + (found === undefined ? RETRY_AFTER_MS : MAX_AGE_MS);
    onReading?.(found);
  }

  function shared(): Promise<void> {
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  }

  return {
    latest: () => latest,
    async current(signal) {
      const first = readAgainAt === Number.NEGATIVE_INFINITY;
      if (now() >= readAgainAt) {
        const fresh = shared();
        if (first) await unlessAborted(fresh, signal);
      }
      return latest.version;
    },
    refresh: (signal) => unlessAborted(shared(), signal),
    suspect() {
      if (now() < suspectAgainAt) return;
      suspectAgainAt = now() + RETRY_AFTER_MS;
      void shared();
    },
  };
}

/** Leaves the wait, not the work, when the caller goes. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const leave = (): void => resolve(undefined);
  signal.addEventListener('abort', leave, { once: true });
  void work.finally(leave);
  return promise.finally(() => signal.removeEventListener('abort', leave));
}
