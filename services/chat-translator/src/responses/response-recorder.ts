import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '@zai2api/runtime';
import { joinBatches } from './event-batches.ts';
import type { EventBatch, ResponseStore } from './response-store.ts';
import { isResponseStoreUnavailable } from './store-unavailable.ts';

/** Why a response is not kept any more: somebody else took it, it grew too large, or the store lost its memory. */
export type LossReason = 'taken' | 'too-large' | 'lost';

/** Brings the events of one running response to the store, behind the back of those who read them. */
export interface ResponseRecorder {
  /** Events that came; what comes while the store is busy goes along with the next call of it. */
  add(events: EventBatch, response?: string): void;
  /** Whether there is room for the last events and the response that they end. If not, it is lost. To be asked before they are told. */
  hasRoomFor(events: EventBatch, response: string): boolean;
  /** The last events, and the response that they end. Resolves when it is there, or nobody can bring it there. */
  finish(events: EventBatch, response: string): Promise<void>;
}

/** Which response is recorded where, and up to which size. */
export interface RecorderOptions {
  readonly id: string;
  readonly store: ResponseStore;
  /** Already kept, in UTF-16 units. */
  readonly startSize: number;
  /** The most that is kept of one response, in UTF-16 units. */
  readonly maxSize: number;
  readonly logger: Logger;
  /** Called once; nothing is added after it. */
  readonly onLost: (reason: LossReason) => void;
  /** How long after the end a store that does not answer is still asked, in milliseconds. */
  readonly patienceMs?: number;
}

const RETRY_MS = 250;
/** An outage that lasts longer than a process counts as alive takes the response away anyhow. */
const DEFAULT_PATIENCE_MS = 15_000;

/** A recorder for a response that the store has begun to keep. One call of the store at a time, so that events stay in order. */
export function createResponseRecorder(options: RecorderOptions): ResponseRecorder {
  const { id, store, maxSize, logger, onLost, patienceMs = DEFAULT_PATIENCE_MS } = options;
  let size = options.startSize;
  let pending: EventBatch | undefined;
  let response: string | undefined;
  let endAtMs: number | undefined;
  let isLost = false;
  let working: Promise<void> | undefined;

  function lose(reason: LossReason): void {
    if (isLost) return;
    isLost = true;
    pending = undefined;
    onLost(reason);
  }

  /** Brings what there is. False: there is a reason to try again. */
  async function bring(events: EventBatch): Promise<boolean> {
    const last = endAtMs === undefined ? undefined : response;
    try {
      const hold = last === undefined ? await store.append(id, events, response) : await store.finish(id, last, events);
      if (hold !== 'ours') lose(hold);
      return true;
    } catch (reason) {
      if (!isResponseStoreUnavailable(reason)) throw reason;
      return false;
    }
  }

  /** In front of what has come meanwhile. */
  function putBack(events: EventBatch): void {
    pending = pending ? joinBatches(events, pending) : events;
  }

  async function work(): Promise<void> {
    while (pending && !isLost) {
      const events = pending;
      pending = undefined;
      const sent = response;
      if (await bring(events)) {
        if (response === sent) response = undefined;
        continue;
      }
      putBack(events);
      if (endAtMs !== undefined && performance.now() > endAtMs + patienceMs) {
        logger.warn({ responseId: id }, 'a response could not be kept: its store does not answer');
        return;
      }
      await wait(RETRY_MS);
    }
  }

  function start(): Promise<void> {
    working ??= work()
      .catch((reason: unknown) => {
        logger.error({ err: reason, responseId: id }, 'a response could not be kept');
        lose('taken');
      })
      .finally(() => (working = undefined));
    return working;
  }

  function take(events: EventBatch, now: string | undefined): void {
    size += events.text.length;
    if (size > maxSize) lose('too-large');
    if (isLost) return;
    pending = joinBatches(pending, events);
    response = now ?? response;
    void start();
  }

  return {
    add: take,
    hasRoomFor(events, last) {
      if (size + events.text.length + last.length > maxSize) lose('too-large');
      return !isLost;
    },
    async finish(events, last) {
      endAtMs = performance.now();
      size += last.length;
      take(events, last);
      // What was under way was not the end.
      while (pending && !isLost && performance.now() <= endAtMs + patienceMs) await start();
      await working;
    },
  };
}
