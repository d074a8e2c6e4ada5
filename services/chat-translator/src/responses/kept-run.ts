import { STREAM_END, type ResponsesStreamEncoder } from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import { mergeDeltas } from '../answer/merge-deltas.ts';
import type { RunningTurn } from '../turn/run-turn.ts';
import { concludeKept } from './conclude-kept.ts';
import { createResponseRecorder, type LossReason } from './response-recorder.ts';
import type { EventBatch, ResponseStore } from './response-store.ts';
import { createTextQueue } from './text-queue.ts';

/** A response that is kept while it comes about, and has begun to be. */
export interface KeptRun {
  readonly id: string;
  readonly tenant: string;
  /** Nobody need wait for it: it ends when it cannot be kept. */
  readonly background: boolean;
  readonly encoder: ResponsesStreamEncoder;
  /** What was written and kept of it before. */
  readonly begun: EventBatch;
  /** All that was kept of it before, in UTF-16 units. */
  readonly startSize: number;
  readonly turn: RunningTurn;
  /** Ends the turn; the reason is a TurnError. */
  readonly abort: (reason: TurnError) => void;
  /** Hears of the error that the response ended in, unless somebody wanted it to end. */
  readonly onError: (error: TurnError) => void;
}

/** Where a run is kept, and up to which size. */
export interface KeptRunOptions {
  readonly store: ResponseStore;
  /** The most that is kept of one response, in UTF-16 units. */
  readonly maxSize: number;
  readonly logger: Logger;
  readonly onLost: (reason: LossReason) => void;
  /** Asked once, when nobody reads along any more and it is not in the background: whether there is a place for it there. */
  readonly moveToBackground: () => boolean;
}

/** A run under way. */
export interface StartedRun {
  /** All that is written of it. One reader, whose leaving ends the run when the response is not kept any more, or has no place to go on in. */
  readonly texts: AsyncIterable<string>;
  /** Resolves when nothing of it runs, and what can be kept is kept. Never rejects. */
  readonly over: Promise<void>;
  /** Somebody else has ended it: called it off, deleted it, or taken it for dead. */
  take(): void;
}

/** Runs a response to its end, on its own account: whoever reads it may leave, and come back by way of the store. */
export function startKeptRun(run: KeptRun, options: KeptRunOptions): StartedRun {
  const { store, maxSize, logger, onLost, moveToBackground } = options;
  const { id, tenant, background, encoder, turn } = run;
  const queue = createTextQueue();
  let isCalledOff = false;
  let isKept = true;
  let isRead = true;
  let nextNumber = run.begun.last + 1;

  const recorder = createResponseRecorder({ id, store, startSize: run.startSize, maxSize, logger, onLost: lose });

  function lose(reason: LossReason): void {
    onLost(reason);
    if (reason === 'taken') {
      take();
      return;
    }
    isKept = false;
    if (background && reason === 'too-large') {
      // Its reader is just being told of its end.
      if (encoder.isOver) encoder.markNotStored();
      concludeKept(store, id, tenant, { status: 'failed', error: tooLarge() }).then(callOff, callOff);
    } else {
      // Whoever reads along has it all the same, but cannot come back for it.
      encoder.markNotStored();
      if (reason === 'too-large') store.remove(id, tenant).catch(() => undefined);
      leaveIfAlone();
    }
  }

  function take(): void {
    // What was given up cannot be taken.
    if (!isKept) return;
    isKept = false;
    callOff();
  }

  function callOff(): void {
    isCalledOff = true;
    run.abort(new TurnError('cancelled', 'The response was called off.', { layer: 'client' }));
  }

  function leaveIfAlone(): void {
    if (isRead || encoder.isOver) return;
    if (!isKept) run.abort(TurnError.from(new DOMException('', 'AbortError')));
    else if (!background && !moveToBackground()) callOff();
  }

  /** Says it to whoever reads along, and to the store. */
  async function write(text: string, response?: string): Promise<void> {
    if (text === '') return;
    const first = nextNumber;
    nextNumber = encoder.nextSequenceNumber;
    if (encoder.isOver && isKept) {
      await writeEnd(first, text);
      return;
    }
    queue.push(text);
    if (!isKept) {
      // Nothing bounds it any more but its reader.
      if (!isCalledOff && !encoder.isOver) await queue.taken();
      return;
    }
    recorder.add({ first, last: nextNumber - 1, text }, response);
  }

  /** A reader who is told that the response is kept goes on from there: it must not turn out to be too large behind its end. */
  async function writeEnd(first: number, text: string): Promise<void> {
    const events = { first, last: nextNumber - 1, text: text.slice(0, -STREAM_END.length) };
    const response = JSON.stringify(encoder.describe());
    const endLength = encoder.repeatEnd().length;
    if (recorder.hasRoomFor(events, response)) {
      queue.push(text);
      await recorder.finish(events, response);
    } else {
      queue.push(text.slice(0, -endLength) + encoder.repeatEnd());
    }
  }

  async function drive(): Promise<void> {
    try {
      let isFirst = true;
      for await (const batch of await turn.opened) {
        const text = encodeBatch(encoder, batch);
        // From here on it is not queued any more.
        await write(text, isFirst && background ? JSON.stringify(encoder.describe()) : undefined);
        isFirst = false;
        if (encoder.isOver) break;
      }
    } catch (reason) {
      const error = TurnError.from(reason);
      if (!isCalledOff) run.onError(error);
      await write(isCalledOff ? encoder.cancel() : encoder.push({ type: 'turn-error', error }));
    }
    await write(encoder.end());
  }

  const texts: AsyncIterable<string> = {
    [Symbol.asyncIterator]() {
      const read = queue.read()[Symbol.asyncIterator]();
      return {
        next: () => read.next(),
        // At once, also while it waits for the next text.
        return() {
          if (isRead) {
            isRead = false;
            queue.leave();
            leaveIfAlone();
          }
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };

  queue.push(run.begun.text);
  const over = drive()
    .catch((reason: unknown) => logger.error({ err: reason, responseId: id }, 'a kept response broke off'))
    .finally(() => {
      queue.end();
      turn.close();
    });
  return { texts, over, take };
}

function encodeBatch(encoder: ResponsesStreamEncoder, batch: readonly TurnEvent[]): string {
  let text = '';
  for (const event of mergeDeltas(batch)) text += encoder.push(event);
  return text;
}

const tooLarge = (): TurnError =>
  new TurnError('internal', 'The response is larger than what is kept of one.', { layer: 'internal' });
