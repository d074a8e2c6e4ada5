import { WebSocket } from 'ws';

/** Sends text frames no faster than the client takes them. */
export interface Sender {
  /** Resolves when more may be sent; at once when the client is gone. Never rejects. `lane` is told as `stream_id`. */
  send(json: string, lane: string | undefined): Promise<void>;
}

/** What may wait for a slow client, in bytes; beyond it the response waits, too. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** A sender on this socket. `gone` aborts when it is closed; until that is known, nobody shall go on for a client that takes nothing more. */
export function createSender(socket: WebSocket, gone: AbortController): Sender {
  return {
    async send(json, lane) {
      if (socket.readyState !== WebSocket.OPEN) {
        gone.abort(new DOMException('The client closed the connection.', 'AbortError'));
        return;
      }
      const frame = lane === undefined ? json : `{"stream_id":${JSON.stringify(lane)},${json.slice(1)}`;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const done = (): void => resolve(undefined);
      socket.send(frame, done);
      if (socket.bufferedAmount <= MAX_BUFFERED_BYTES) return;
      // The frames before it went out, too, when this one has gone.
      gone.signal.addEventListener('abort', done, { once: true });
      await promise;
      gone.signal.removeEventListener('abort', done);
    },
  };
}
