import { once } from 'node:events';
import http from 'node:http';
import { duplexPair } from 'node:stream';

/** Asks the gateway itself, without a network: everything is checked, limited, logged and cancelled as for any other client. */
export interface InnerClient {
  /** Posts JSON and resolves with the answer when its headers are there. Aborting closes the connection, as a client does that leaves. */
  post(request: {
    readonly path: string;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<http.IncomingMessage>;
}

/** Headers of a client may be as long as the outer server lets them be, and the inner request has some of its own. */
const MAX_HEADER_BYTES = 40 * 1024;

/** What belongs to the connection of the client, and to the request that opened it. */
const notHanded =
  /^(?:host|connection|upgrade|keep-alive|te|trailer|transfer-encoding|proxy-.+|expect|content-.+|accept-encoding|origin|sec-.+)$/;

/** A client of this request listener. */
export function createInnerClient(listener: http.RequestListener): InnerClient {
  const server = http.createServer({ maxHeaderSize: MAX_HEADER_BYTES }, listener);

  /** A connection between two ends in memory; what is written on one is read on the other, no faster than it is read there. */
  function connect(): ReturnType<typeof duplexPair>[0] {
    const [near, far] = duplexPair();
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    // Whoever is still interested hears of it by the request or the response.
    for (const end of [near, far]) end.on('error', () => undefined);
    server.emit('connection', far);
    return near;
  }

  return {
    async post({ path, headers, body, signal }) {
      const handed = Object.entries(headers).filter(([name]) => !notHanded.test(name));
      const request = http.request({
        // The types know sockets only; any stream will do.
        createConnection: connect as unknown as NonNullable<http.RequestOptions['createConnection']>,
        method: 'POST',
        path,
        headers: {
          ...Object.fromEntries(handed),
          host: 'gateway',
          accept: 'text/event-stream',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        signal,
      });
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      // Its end is waited for by whoever reads it; without a reader an abort would be nobody's error.
      request.on('error', () => undefined);
      return response;
    },
  };
}
