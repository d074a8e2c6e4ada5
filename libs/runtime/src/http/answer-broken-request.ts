import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createRequestId } from './assign-request-id.ts';

/** Status line and message of an answer. */
interface Refusal {
  readonly status: string;
  readonly message: string;
}

/** What Node's parser found wrong; everything else is a 400. */
const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', message: 'The request headers are too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', message: 'The request did not arrive in time.' },
};
const malformed: Refusal = { status: '400 Bad Request', message: 'The request is not valid HTTP.' };
const NO_HOST = 'The request has no Host header.';

/**
 * Answers what never became a request, in the shape of the OpenAI API: there is no path yet that could say another one. For the
 * `clientError` event of a server.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  endWith(socket, refusals[error.code ?? ''] ?? malformed);
}

/** Answers a CONNECT, whose connection is nobody's any more. For the `connect` event of a server. */
export function answerConnect(socket: Duplex): void {
  closeWith(socket, 'This server is no proxy: it does not serve CONNECT.');
}

/** Whether a request lacks the Host header that HTTP/1.1 demands. Node's own refusal has no body. */
export const lacksHost = ({ headers, httpVersion }: IncomingMessage): boolean =>
  headers.host === undefined && httpVersion === '1.1';

/** Answers a request without a Host header. */
export function answerWithoutHost(response: ServerResponse): void {
  const { headers, body } = encodeRefusal(NO_HOST);
  response.writeHead(400, headers).end(body);
}

/** Answers an upgrade without a Host header. For the `upgrade` event of a server. */
export function answerUpgradeWithoutHost(socket: Duplex): void {
  closeWith(socket, NO_HOST);
}

function closeWith(socket: Duplex, message: string): void {
  socket.on('error', () => undefined);
  socket.resume();
  socket.once('finish', () => socket.destroy());
  endWith(socket, { status: malformed.status, message });
}

function endWith(socket: Duplex, { status, message }: Refusal): void {
  const { headers, body } = encodeRefusal(message);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
}

function encodeRefusal(message: string): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } });
  const requestId = createRequestId();
  return {
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'x-request-id': requestId,
      'request-id': requestId,
      connection: 'close',
    },
    body,
  };
}
