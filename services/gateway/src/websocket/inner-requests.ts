import http from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';

/** Requests to the gateway itself, in memory: they pass every middleware that a request of the public port passes. */
export interface InnerRequests {
  /** Sends one request; resolves with its response as soon as it begins. Aborting the signal ends both. */
  send(
    path: string,
    options: {
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly signal: AbortSignal;
    },
  ): Promise<http.IncomingMessage>;
}

/** Inner requests that `listener` answers. One connection for each, which ends with its answer. */
export function createInnerRequests(listener: http.RequestListener): InnerRequests {
  // It never listens: connections are handed in.
  const server = http.createServer({ keepAlive: false, requestTimeout: 0, headersTimeout: 0 }, listener);

  function connect(): Duplex {
    const [ours, theirs] = duplexPair();
    // Neither side of a pair hears by itself that the other one is gone.
    ours.once('close', () => theirs.destroy());
    theirs.once('close', () => ours.destroy());
    // A side that was cut is no fault of its own.
    theirs.on('error', () => undefined);
    server.emit('connection', theirs);
    return ours;
  }

  return {
    send(path, { headers, body, signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
      const request = http.request({
        method: 'POST',
        path,
        headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
        createConnection: connect,
        signal,
      });
      request.once('response', resolve);
      // Also behind the response, when the connection is cut: whoever reads the response hears of it there.
      request.on('error', reject);
      request.end(body);
      return promise;
    },
  };
}
