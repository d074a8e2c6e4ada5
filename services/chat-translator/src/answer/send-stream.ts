import type { ServerResponse } from 'node:http';
import { streamHeaders, type StreamEncoder } from '@zai2api/dialects';
import { onResponseClose } from '@zai2api/runtime';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import { mergeDeltas } from './merge-deltas.ts';

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

export interface EventStreamOptions {
  readonly encoder: StreamEncoder;
  /** Silence after which a comment is sent, in milliseconds; 0 = never. */
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

const keepAlive = ': keep-alive\n\n';

/** A stream on `response`, whose other headers must be set before. Nothing is sent before `begin` or the first text. */
export function createEventStreamResponse(response: ServerResponse, options: EventStreamOptions): EventStreamResponse {
  const { encoder, heartbeatMs, signal } = options;
  let heartbeat: NodeJS.Timeout | undefined;
  let hasBegun = false;

  function writeHead(): void {
    if (response.headersSent) return;
    response.writeHead(200, streamHeaders);
    if (heartbeatMs === 0) return;
    heartbeat = setInterval(() => response.write((hasBegun && encoder.heartbeat) || keepAlive), heartbeatMs);
    onResponseClose(response, () => clearInterval(heartbeat));
  }

  function end(text: string): void {
    if (signal.aborted) return;
    writeHead();
    clearInterval(heartbeat);
    response.end(text + encoder.end());
  }

  return {
    begin() {
      if (signal.aborted || response.headersSent) return;
      writeHead();
      response.write(keepAlive);
    },
    async pump(batches) {
      try {
        for await (const batch of batches) {
          if (signal.aborted) return;
          let text = '';
          for (const event of mergeDeltas(batch)) text += encoder.push(event);
          if (text === '') continue;
          writeHead();
          hasBegun = true;
          heartbeat?.refresh();
          if (!response.write(text)) await drained(response, signal);
        }
        end('');
      } catch (reason) {
        this.fail(TurnError.from(reason));
      }
    },
    fail(error) {
      end(encoder.push({ type: 'turn-error', error }));
    },
  };
}

/** Resolves when the client has taken what was written, or has left. */
async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted || !response.writableNeedDrain) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const go = (): void => resolve(undefined);
  response.once('drain', go);
  signal.addEventListener('abort', go, { once: true });
  await promise;
  response.off('drain', go);
  signal.removeEventListener('abort', go);
}
