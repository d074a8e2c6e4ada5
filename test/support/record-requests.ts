import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that passed by. */
export interface RecordedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed where it is JSON, else its text. */
  readonly body: unknown;
  /** Undefined until the answer began. */
  readonly status: number | undefined;
}

/** A transparent proxy that remembers what a client asked for. `await using` closes it. */
export interface RequestRecorder extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  /** In the order in which they came. */
  readonly requests: readonly RecordedRequest[];
}

/** Listens on a free port of loopback in front of `target`. */
export async function recordRequests(target: string): Promise<RequestRecorder> {
  const { hostname, port, host } = new URL(target);
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url: path = '', headers } = incoming;
      const at = requests.push({ method, path, headers, body: parse(body.toString()), status: undefined }) - 1;
      const outgoing = request({ hostname, port, path, method, headers: { ...headers, host } }, (answer) => {
        requests[at] = { ...requests[at]!, status: answer.statusCode };
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.once('error', () => response.destroy());
      });
      outgoing.once('error', () => response.destroy());
      response.once('close', () => outgoing.destroy());
      outgoing.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
