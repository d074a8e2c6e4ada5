import type http from 'node:http';

/** How long a client may go on sending a body behind the answer to it. */
const MAX_DROP_MS = 30_000;

/**
 * Reads and drops what is left of a body once its request is answered: the next request of the connection comes behind it. Node does so
 * only for bodies that nobody began to read. A client that goes on sending for 30 s is cut off.
 */
export function dropUnreadBody(request: http.IncomingMessage, response: http.ServerResponse): void {
  response.once('finish', () => {
    // A connection that is not kept ends here, and so does its body.
    if (request.complete || !response.shouldKeepAlive || request.destroyed) return;
    const timer = setTimeout(() => request.socket.destroy(), MAX_DROP_MS);
    request.once('close', () => clearTimeout(timer));
    request.unpipe();
    request.resume();
  });
}
