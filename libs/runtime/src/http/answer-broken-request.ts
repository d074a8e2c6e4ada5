import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createRequestId } from './assign-request-id.ts';

/** What Node's parser found wrong; everything else is a 400. */
const refusals: Readonly<Record<string, { readonly status: string; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', message: 'The request headers are too large.' },
  CONNECT: { status: '400 Bad Request', message: 'This server is no proxy: it does not serve CONNECT.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', message: 'The request did not arrive in time.' },
};
const malformed = { status: '400 Bad Request', message: 'The request is not valid HTTP.' };

/**
 * Answers what never became a request, in the shape of the OpenAI API: there is no path yet that could say another one. For the
 * `clientError` event of a server.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, message } = refusals[error.code ?? ''] ?? malformed;
  const { headers, body } = encodeRefusal(message);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
}

/** Answers a CONNECT, whose connection is nobody's any more. For the `connect` event of a server. */
export function answerConnect(socket: Duplex): void {
  socket.on('error', () => undefined);
  socket.resume();
  socket.once('finish', () => socket.destroy());
  answerBrokenRequest(Object.assign(new Error('CONNECT'), { code: 'CONNECT' }), socket);
}

/** Answers a request of HTTP/1.1 without a Host header: Node's own refusal has no body. */
export function answerWithoutHost(response: ServerResponse): void {
  const { headers, body } = encodeRefusal('The request has no Host header.');
  response.writeHead(400, headers).end(body);
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
