import { LRUCache } from 'lru-cache';
import type { EventBatch, KeptEvents, KeptState, ResponseStore } from './response-store.ts';

/** How long and how much is kept. Sizes are UTF-16 units. */
export interface MemoryResponseStoreOptions {
  readonly ttlMs: number;
  /** Of all responses together. The one that was asked for longest ago goes first. */
  readonly maxBytes: number;
  /** The most that is kept of one response, in UTF-16 units; never more than `maxBytes`. Default: that. */
  readonly maxResponseSize?: number;
  /** Milliseconds of a clock that only goes forward. Default: that of the process. */
  readonly now?: () => number;
}

/** A store for one process. Its responses end with it. */
export interface MemoryResponseStore extends ResponseStore {
  readonly entries: number;
  readonly bytes: number;
}

interface Entry {
  readonly tenant: string;
  readonly input: string;
  state: KeptState;
  response: string;
  readonly batches: EventBatch[] | undefined;
}

const yes = Promise.resolve(true);
const no = Promise.resolve(false);
const ours = Promise.resolve('ours' as const);
const taken = Promise.resolve('taken' as const);
/** As many batches as one answer of the store holds. */
const MAX_BATCHES = 64;

/** Responses in the memory of this process, within a bound. A running one stays until it is over, whatever else comes. */
export function createMemoryResponseStore(options: MemoryResponseStoreOptions): MemoryResponseStore {
  const { ttlMs, maxBytes, now } = options;
  const maxResponseSize = Math.min(options.maxResponseSize ?? maxBytes, maxBytes);
  const over = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    // The end that somebody puts to one may make it larger than all of the memory: then it is the only one, and not lost without a word.
    sizeCalculation: (entry) => Math.min(bytesOf(entry), maxBytes),
    ttl: ttlMs,
    ttlResolution: 0,
    ...(now && { perf: { now } }),
  });
  /** Their number is bounded by that of the turns that run. */
  const running = new Map<string, Entry>();
  const newsListeners = new Map<string, Set<() => void>>();
  const takenListeners = new Set<(id: string) => void>();

  const find = (id: string): Entry | undefined => running.get(id) ?? over.get(id);
  const findOf = (id: string, tenant: string): Entry | undefined => {
    const entry = find(id);
    return entry?.tenant === tenant ? entry : undefined;
  };
  const announce = (id: string): void => {
    for (const listener of [...(newsListeners.get(id) ?? [])]) listener();
  };

  function add(entry: Entry, events: EventBatch | undefined): void {
    const last = entry.batches?.at(-1)?.last ?? -1;
    if (events && events.last > last) entry.batches?.push(events);
  }

  function end(id: string, entry: Entry, response: string, events: EventBatch | undefined): void {
    add(entry, events);
    entry.state = 'over';
    entry.response = response;
    running.delete(id);
    over.set(id, entry);
    announce(id);
  }

  return {
    maxResponseSize,
    get entries() {
      return running.size + over.size;
    },
    get bytes() {
      return over.calculatedSize + [...running.values()].reduce((sum, entry) => sum + bytesOf(entry), 0);
    },
    begin({ id, tenant, state, response, input, events }) {
      const entry: Entry = { tenant, input, state, response, batches: events && [events] };
      if (state === 'running') running.set(id, entry);
      else over.set(id, entry);
      return Promise.resolve();
    },
    append(id, events, response) {
      const entry = running.get(id);
      if (!entry) return taken;
      add(entry, events);
      entry.response = response ?? entry.response;
      announce(id);
      return ours;
    },
    finish(id, response, events) {
      const entry = running.get(id);
      if (!entry) return taken;
      end(id, entry, response, events);
      return ours;
    },
    renew: (id) => (running.has(id) ? ours : taken),
    conclude(id, tenant, { response, before, after }, onlyIfDead) {
      const entry = running.get(id);
      // Whoever asks lives in the process that runs it.
      if (entry?.tenant !== tenant || onlyIfDead) return no;
      const number = (entry.batches?.at(-1)?.last ?? -1) + 1;
      end(id, entry, response, { first: number, last: number, text: `${before}${number}${after}` });
      for (const listener of [...takenListeners]) listener(id);
      return yes;
    },
    read(id, tenant) {
      const entry = findOf(id, tenant);
      return Promise.resolve(
        entry && { state: entry.state, response: entry.response, hasEvents: entry.batches !== undefined },
      );
    },
    readInput: (id, tenant) => Promise.resolve(findOf(id, tenant)?.input),
    readEvents(id, from): Promise<KeptEvents> {
      const entry = find(id);
      if (!entry) return Promise.resolve({ state: 'gone', batches: [] });
      const batches = entry.batches?.filter(({ last }) => last >= from) ?? [];
      return Promise.resolve({ state: entry.state, batches: batches.slice(0, MAX_BATCHES) });
    },
    remove(id, tenant) {
      if (!findOf(id, tenant)) return no;
      const wasRunning = running.delete(id);
      over.delete(id);
      announce(id);
      if (wasRunning) for (const listener of [...takenListeners]) listener(id);
      return yes;
    },
    onNews(id, listener) {
      const listeners = newsListeners.get(id) ?? new Set();
      newsListeners.set(id, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) newsListeners.delete(id);
      };
    },
    onTaken(listener) {
      takenListeners.add(listener);
      return () => void takenListeners.delete(listener);
    },
    close() {
      running.clear();
      over.clear();
      return Promise.resolve();
    },
  };
}

/** In UTF-16 units, as the texts are kept: what they are in bytes depends on the engine. */
function bytesOf({ input, response, batches = [] }: Entry): number {
  return batches.reduce((sum, { text }) => sum + text.length, input.length + response.length);
}
