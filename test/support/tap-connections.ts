import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A pipe for bytes, upgrades and all, that remembers how each connection began. `await using` closes it. */
export interface ConnectionTap extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  /** The first line of each connection, such as `GET /v1/responses HTTP/1.1`. */
  readonly firstLines: readonly string[];
}

/** Listens on a free port of loopback in front of `target`. */
export async function tapConnections(target: string): Promise<ConnectionTap> {
  const { hostname, port } = new URL(target);
  const firstLines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(Number(port), hostname);
    incoming.once('data', (bytes: Buffer) => firstLines.push(bytes.toString('latin1').split('\r\n', 1)[0] ?? ''));
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.once('error', () => to.destroy());
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    firstLines,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
