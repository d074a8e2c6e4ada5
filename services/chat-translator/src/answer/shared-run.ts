import { unlessAborted } from '@zai2api/runtime';
import { TurnError, type TurnEvent, type TurnWarning } from '@zai2api/turn';

/** An answer that has begun, staged for its client. */
export interface StartedAnswer {
  readonly upstream: string;
  readonly warnings: readonly TurnWarning[];
  /** Another place than the first choice answers, because that one failed. */
  readonly isFallback: boolean;
  readonly batches: AsyncIterable<TurnEvent[]>;
  /** Nobody takes events any more. */
  release(error?: TurnError): void;
}

/** One answer that several take part in. */
export interface SharedRun {
  /** One more who takes all of it, from the beginning. Leaving, by the signal or by leaving the events, ends the run for the last one only. */
  join(signal: AbortSignal): Promise<Pick<StartedAnswer, 'upstream' | 'warnings' | 'batches'>>;
}

/** Hears of the end of a run that several askers share. */
export interface SharedRunListener {
  /** The run is over; `answer` is undefined when it did not begin. */
  readonly onEnd: (answer: StartedAnswer | undefined, batches: readonly TurnEvent[][]) => void;
  /** The last one has left before its end: nobody may join any more. */
  readonly onDeserted: () => void;
}

/** Starts the run. Whatever comes is kept until its end, for those who join late or read slowly. */
export function createSharedRun(
  start: (signal: AbortSignal) => Promise<StartedAnswer>,
  { onEnd, onDeserted }: SharedRunListener,
): SharedRun {
  const controller = new AbortController();
  const batches: TurnEvent[][] = [];
  let news = Promise.withResolvers<undefined>();
  let taking = 0;
  let isOver = false;
  let failure: TurnError | undefined;

  function tell(): void {
    news.resolve(undefined);
    news = Promise.withResolvers();
  }

  const started = start(controller.signal);

  async function pump(): Promise<void> {
    let answer: StartedAnswer | undefined;
    try {
      answer = await started;
      for await (const batch of answer.batches) {
        batches.push(batch);
        tell();
      }
    } catch (reason) {
      failure = TurnError.from(reason);
    }
    isOver = true;
    const last = batches.at(-1)?.at(-1);
    answer?.release(failure ?? (last?.type === 'turn-error' ? last.error : undefined));
    onEnd(answer, failure ? [] : batches);
    tell();
  }
  void pump();

  /** Counts one who takes part, until the returned function is called or the signal aborts. */
  function enter(signal: AbortSignal): () => void {
    taking += 1;
    let isIn = true;
    const leave = (): void => {
      signal.removeEventListener('abort', leave);
      if (!isIn) return;
      isIn = false;
      taking -= 1;
      if (taking > 0 || isOver) return;
      onDeserted();
      controller.abort(signal.aborted ? signal.reason : new DOMException('Nobody waits any more.', 'AbortError'));
    };
    signal.addEventListener('abort', leave, { once: true });
    return leave;
  }

  async function* take(signal: AbortSignal, leave: () => void): AsyncGenerator<TurnEvent[]> {
    try {
      for (let at = 0; ;) {
        signal.throwIfAborted();
        const batch = batches[at];
        if (batch) {
          at += 1;
          yield batch;
        } else if (failure) {
          throw failure;
        } else if (isOver) {
          return;
        } else {
          await unlessAborted(news.promise, signal);
        }
      }
    } catch (reason) {
      throw TurnError.from(reason);
    } finally {
      leave();
    }
  }

  return {
    async join(signal) {
      const leave = enter(signal);
      try {
        const { upstream, warnings } = await unlessAborted(started, signal);
        return { upstream, warnings, batches: take(signal, leave) };
      } catch (reason) {
        leave();
        throw TurnError.from(reason);
      }
    },
  };
}
