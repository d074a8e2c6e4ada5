import type http from 'node:http';

const listenersByResponse = new WeakMap<http.ServerResponse, (() => void)[]>();

/**
 * Calls `listener` exactly once when the response is over, whichever side ended it; at once when it is over already. This is where a
 * request gives back what it holds: a `finally` runs before a streamed body has been sent.
 */
export function onResponseClose(response: http.ServerResponse, listener: () => void): void {
  const known = listenersByResponse.get(response);
  if (known !== undefined) {
    known.push(listener);
    return;
  }
  const socket = response.req.socket;
  if (response.closed || socket.destroyed) {
    listener();
    return;
  }
  const listeners = [listener];
  listenersByResponse.set(response, listeners);
  const close = (): void => {
    // Both events can be under way at once.
    if (!listenersByResponse.delete(response)) return;
    response.off('close', close);
    socket.off('close', close);
    for (const each of listeners) each();
  };
  response.once('close', close);
  // A pipelined response that waits for its turn has no socket yet and never says `close` when the connection breaks.
  socket.once('close', close);
}
