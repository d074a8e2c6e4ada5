import type http from 'node:http';
import { onResponseClose } from './on-response-close.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/**
 * For a client that has ended its side of the connection: it waits for its answer, or it is gone, and TCP tells the two apart only by a
 * write. Until the answer begins, interim responses (102) are written: a connection that is closed is reset by the first and fails the
 * second, which closes the response. A client that ends its side within a stream is taken as gone (contract 5.7).
 */
export function closeIfClientIsGone(response: http.ServerResponse): void {
  if (response.writableEnded) return;
  // HTTP/1.0 knows no interim responses.
  if (response.headersSent || response.req.httpVersion === '1.0') {
    response.destroy();
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  function probe(pauseMs: number): void {
    if (response.headersSent) return;
    response.writeProcessing();
    timer = setTimeout(probe, pauseMs, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
  }
  probe(FIRST_PAUSE_MS);
  onResponseClose(response, () => clearTimeout(timer));
}
