import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EncodedAnswer } from '@zai2api/runtime';

/** Answers an upgrade by an error, and closes the connection: what follows on it may be no HTTP any more. */
export function refuseUpgrade(socket: Duplex, { status, headers, body }: EncodedAnswer): void {
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  // The client's side is not waited for: nothing else would ever close it.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head.join('')}\r\n${body}`);
}
