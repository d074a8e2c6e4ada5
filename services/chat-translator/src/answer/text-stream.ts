import type { ServerResponse } from 'node:http';
import { streamHeaders } from '@zai2api/dialects';
import { onResponseClose } from '@zai2api/runtime';

/** An event stream on its way to a client, as text. */
export interface TextStream {
  /** Sends status and headers with a first comment, so that no proxy takes the silence for death. Idempotent. */
  begin(): void;
  /** Sends a text. Resolves when the client has taken what was sent, or has left: at once unless it lags behind. */
  write(text: string): Promise<void> | undefined;
  /** Sends a last text and ends the response. */
  end(text: string): void;
}

/** How a stream of text is kept alive, and whose leaving ends it. */
export interface TextStreamOptions {
  /** Silence after which a sign of life is sent, in milliseconds; 0 = never. */
  readonly heartbeatMs: number;
  /** A sign of life that the dialect knows, once its stream has begun. */
  readonly heartbeat?: (() => string | undefined) | undefined;
  /** Aborts when the client leaves: nothing is sent any more. */
  readonly signal: AbortSignal;
  /** For tests, which do not wait for minutes. */
  readonly maxLagMs?: number;
}

/** A client that has not taken what waits for it in this time, a few hundred kilobytes at the most, holds up a slot that others wait for. */
const MAX_LAG_MS = 300_000;

const keepAlive = ': keep-alive\n\n';

/** A stream on `response`, whose other headers must be set before. Nothing is sent before `begin` or the first text. */
export function createTextStream(response: ServerResponse, options: TextStreamOptions): TextStream {
  const { heartbeatMs, signal, maxLagMs = MAX_LAG_MS } = options;
  let timer: NodeJS.Timeout | undefined;
  let hasBegun = false;

  function writeHead(): void {
    if (response.headersSent) return;
    response.writeHead(200, streamHeaders);
    if (heartbeatMs === 0) return;
    timer = setInterval(() => response.write((hasBegun && options.heartbeat?.()) || keepAlive), heartbeatMs);
    onResponseClose(response, () => clearInterval(timer));
  }

  return {
    begin() {
      if (signal.aborted || response.headersSent) return;
      writeHead();
      response.write(keepAlive);
    },
    write(text) {
      if (signal.aborted || text === '') return undefined;
      writeHead();
      hasBegun = true;
      timer?.refresh();
      return response.write(text) ? undefined : drained(response, signal, maxLagMs);
    },
    end(text) {
      if (signal.aborted) return;
      writeHead();
      clearInterval(timer);
      response.end(text);
    },
  };
}

/** Resolves when the client has taken what was written, or has left. One that takes nothing is left. */
async function drained(response: ServerResponse, signal: AbortSignal, maxLagMs: number): Promise<void> {
  if (signal.aborted || !response.writableNeedDrain) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const go = (): void => resolve(undefined);
  const lag = setTimeout(() => response.destroy(), maxLagMs);
  response.once('drain', go);
  signal.addEventListener('abort', go, { once: true });
  await promise;
  clearTimeout(lag);
  response.off('drain', go);
  signal.removeEventListener('abort', go);
}
