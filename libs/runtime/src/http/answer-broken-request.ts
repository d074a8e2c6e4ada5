import type { Duplex } from 'node:stream';
import { createRequestId } from './assign-request-id.ts';

/** What Node's parser found wrong; everything else is a 400. */
const refusals: Readonly<Record<string, { readonly status: string; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', message: 'The request headers are too large.' },
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
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } });
  const requestId = createRequestId();
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    `request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
