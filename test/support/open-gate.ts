import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** `pass`: bytes go through; `refuse`: connections are refused; `hang`: they come about, and nothing ever comes back. */
export type GateMode = 'pass' | 'refuse' | 'hang';

/** A network before a server, to be broken and mended. `await using` closes it. */
export interface Gate extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  /** Cuts what is open; what comes afterwards meets the new mode. */
  become(mode: GateMode): Promise<void>;
}

/** Listens on a free port of loopback in front of `target`, and lets everything pass. */
export async function openGate(target: string): Promise<Gate> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let mode: GateMode = 'pass';
  let server: Server | undefined;
  let port = 0;

  function accept(incoming: Socket): void {
    keep(incoming);
    if (mode === 'hang') {
      incoming.resume();
      return;
    }
    const outgoing = keep(connect(Number(targetPort), hostname));
    incoming.pipe(outgoing).pipe(incoming);
    incoming.once('close', () => outgoing.destroy());
    outgoing.once('close', () => incoming.destroy());
  }

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  }

  async function open(): Promise<void> {
    server = createServer(accept).listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }

  async function close(): Promise<void> {
    const closing = server && once(server, 'close');
    server?.close();
    server = undefined;
    for (const socket of sockets) socket.destroy();
    await closing;
  }

  await open();
  return {
    url: `http://127.0.0.1:${port}`,
    async become(next) {
      mode = next;
      await close();
      if (next !== 'refuse') await open();
    },
    [Symbol.asyncDispose]: close,
  };
}
