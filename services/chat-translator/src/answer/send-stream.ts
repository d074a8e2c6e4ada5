import type { ServerResponse } from 'node:http';
import type { StreamEncoder } from '@zai2api/dialects';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import { mergeDeltas } from './merge-deltas.ts';
import { createTextStream } from './text-stream.ts';

/** A streamed answer on its way to a client. */
export interface EventStreamResponse {
  /** Sends status and headers with a first comment, so that no proxy takes the silence for death. Idempotent. */
  begin(): void;
  /**
   * Writes all batches and ends the response; a source that throws ends it with the dialect's error event. Returns early, ending the
   * source, when the client leaves. Never rejects.
   */
  pump(batches: AsyncIterable<readonly TurnEvent[]>): Promise<void>;
  /** Ends the response with the dialect's error event. */
  fail(error: TurnError): void;
}

/** How an event stream is written and kept alive. */
export interface EventStreamOptions {
  readonly encoder: StreamEncoder;
  /** Silence after which a comment is sent, in milliseconds; 0 = never. */
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

/** A stream on `response`, whose other headers must be set before. Nothing is sent before `begin` or the first text. */
export function createEventStreamResponse(response: ServerResponse, options: EventStreamOptions): EventStreamResponse {
  const { encoder, heartbeatMs, signal } = options;
  const stream = createTextStream(response, { heartbeatMs, heartbeat: () => encoder.heartbeat, signal });

  return {
    begin: () => stream.begin(),
    async pump(batches) {
      try {
        for await (const batch of batches) {
          if (signal.aborted) return;
          let text = '';
          for (const event of mergeDeltas(batch)) text += encoder.push(event);
          const lag = stream.write(text);
          if (lag) await lag;
        }
        stream.end(encoder.end());
      } catch (reason) {
        this.fail(TurnError.from(reason));
      }
    },
    fail(error) {
      if (signal.aborted) return;
      stream.end(encoder.push({ type: 'turn-error', error }) + encoder.end());
    },
  };
}
