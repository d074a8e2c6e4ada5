import type { EncodedRequest, UpstreamDecoder } from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { isContentEvent, TurnError, type TurnEvent } from '@zai2api/turn';
import { createTryDeadlines } from '../turn/try-deadlines.ts';
import type { TurnTimeouts } from '../turn/turn-timeouts.ts';
import type { UpstreamClient } from './upstream-client.ts';

/** With whom and for how long an answer is streamed. */
export interface StreamAnswerOptions {
  readonly client: UpstreamClient;
  readonly timeouts: Pick<TurnTimeouts, 'idle' | 'firstToken'>;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Hears why the upstream did not begin to answer. */
  readonly onRefusal?: (error: TurnError) => void;
}

/** How long the upstream may still send counts and ids once it has said that the answer is complete (protocol 5.8, 10.3). */
const AFTER_DONE_MS = 1_000;

/**
 * Asks and yields the events of one network chunk at a time, under the limits of the turn. Throws a TurnError when no answer began. The
 * connection is let go in every case: for the next call after a complete answer, else cut.
 */
export async function* streamAnswer(
  completion: EncodedRequest,
  decoder: UpstreamDecoder,
  { client, timeouts, signal, logger, onRefusal }: StreamAnswerOptions,
): AsyncGenerator<TurnEvent[]> {
  const deadlines = createTryDeadlines(timeouts, signal);
  try {
    deadlines.listen();
    const answer = await client.open(completion, deadlines.signal).catch((reason: unknown) => {
      onRefusal?.(TurnError.from(reason));
      throw reason;
    });
    let afterDone: NodeJS.Timeout | undefined;
    let hasContent = false;
    try {
      for await (const bytes of answer.body) {
        deadlines.hear();
        const events = decoder.push(bytes);
        if (!hasContent && events.some(isContentEvent)) {
          hasContent = true;
          deadlines.begin();
        }
        if (events.length > 0) yield events;
        if (decoder.complete && afterDone === undefined) {
          afterDone = setTimeout(() => answer.close('at-once'), AFTER_DONE_MS);
        }
        deadlines.listen();
      }
    } catch (reason) {
      const error = TurnError.from(reason);
      // Behind a complete answer the connection may break, also by our own hand.
      if (!decoder.complete || error.code === 'cancelled') {
        yield [{ type: 'turn-error', error }];
        return;
      }
    } finally {
      clearTimeout(afterDone);
      answer.close(decoder.complete ? 'after-the-rest' : 'at-once');
    }
    const events = decoder.end();
    if (events.length > 0) yield events;
    if (decoder.skippedFrames > 0)
      logger.warn({ skippedFrames: decoder.skippedFrames }, 'passed over frames that are no JSON');
  } finally {
    deadlines.close();
  }
}
