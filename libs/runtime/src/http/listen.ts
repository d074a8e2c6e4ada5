import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConfigError } from '../config/config-error.ts';
import {
  answerBrokenRequest,
  answerConnect,
  answerUpgradeWithoutHost,
  answerWithoutHost,
  lacksHost,
} from './answer-broken-request.ts';
import { closeIfClientIsGone } from './close-if-client-is-gone.ts';
import { dropUnreadBody } from './drop-unread-body.ts';
import { onResponseClose } from './on-response-close.ts';

/** A server that listens. */
export interface RunningServer {
  readonly host: string;
  /** The bound port, also when 0 was asked for. */
  readonly port: number;
  readonly server: http.Server;
  /**
   * Refuses new connections, drops idle ones, waits for running responses and for the first requests of connections that have just come,
   * and cuts those that are left at the deadline.
   */
  stop(deadline: AbortSignal): Promise<void>;
}

const serverOptions: http.ServerOptions = {
  // Coding agents send long metadata headers: Node's 16 KiB is close (contract 5.6).
  maxHeaderSize: 32 * 1024,
  // Above the idle time of balancers, 60 to 75 s: else they send on a connection that is just being closed (contract 5.7).
  keepAliveTimeout: 76_000,
  headersTimeout: 80_000,
  // For the upload of the request alone: 32 MiB at 0.5 Mbit/s.
  requestTimeout: 600_000,
  noDelay: true,
  // We say it ourselves, with a body.
  requireHostHeader: false,
};

/** How long after a connection came its first request may come, also when the stop has begun: it was sent before anybody could know. */
export const FIRST_REQUEST_GRACE_MS = 1_000;

/** Where a server listens, and how it stops. */
export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly draining?: AbortSignal;
  /** Takes over connections that are to become WebSockets, and closes them by itself when the server stops. */
  readonly upgrade?: (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/**
 * Listens with the settings that streams behind proxies need. Once `draining` aborts, connections are not kept alive behind their answer.
 * Throws a ConfigError when the address cannot be bound. */
export async function listen(
  handler: http.RequestListener,
  { host, port, draining, upgrade }: ListenOptions,
): Promise<RunningServer> {
  const running = new Set<http.ServerResponse>();
  /** The connections, with the time when each came; once it has carried a request that is long ago. */
  const sockets = new Map<Socket, number>();
  let isStopping = false;

  /** Node's own notion of idle leaves out connections that never carried a request: preconnects, warm pools, TCP health checks. */
  function closeUnusedSockets(): void {
    const used = new Set([...running].map((response) => response.req.socket));
    const newSinceMs = performance.now() - FIRST_REQUEST_GRACE_MS;
    for (const [socket, cameAtMs] of sockets) if (!used.has(socket) && cameAtMs <= newSinceMs) socket.destroySoon();
  }

  // Other upgrades, such as to HTTP/2, are offers that may be passed over.
  const shouldUpgradeCallback = ({ headers }: http.IncomingMessage): boolean =>
    upgrade !== undefined && headers.upgrade?.toLowerCase() === 'websocket';
  const server = http.createServer({ ...serverOptions, shouldUpgradeCallback }, (request, response) => {
    running.add(response);
    sockets.set(request.socket, -Infinity);
    // Whoever keeps connections takes the next one to a process that stays.
    if (isStopping || draining?.aborted === true) response.shouldKeepAlive = false;
    onResponseClose(response, () => {
      running.delete(response);
      if (isStopping) setImmediate(closeUnusedSockets);
    });
    dropUnreadBody(request, response);
    if (lacksHost(request)) answerWithoutHost(response);
    else handler(request, response);
  });
  // By itself Node ends the connection, with the answer unsent, when a client only ends its own side (contract 5.7).
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket) => {
    sockets.set(socket, performance.now());
    socket.once('close', () => sockets.delete(socket));
    socket.on('end', () => {
      for (const response of running) if (response.req.socket === socket) closeIfClientIsGone(response);
    });
  });
  server.on('upgrade', (request, socket, head) => {
    sockets.delete(request.socket);
    if (lacksHost(request)) answerUpgradeWithoutHost(socket);
    else upgrade?.(request, socket, head);
  });
  server.on('clientError', answerBrokenRequest);
  // Without it Node closes the connection without a word.
  server.on('connect', (_request, socket) => answerConnect(socket));
  // An expectation that nobody knows changes nothing about the request.
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response));
  server.listen({ host, port });
  await once(server, 'listening').catch((reason: unknown) => {
    const code = typeof reason === 'object' && reason !== null && 'code' in reason ? String(reason.code) : 'unknown';
    throw new ConfigError([`${host}:${port}: cannot be listened on (${code}); is something else using it?`]);
  });
  const address = server.address() as AddressInfo;

  return {
    host: address.address,
    port: address.port,
    server,
    async stop(deadline) {
      if (!server.listening) return;
      isStopping = true;
      // Right behind the turn of the event loop that takes in connections: those that still wait to be taken in are cut by the close.
      await nextTurn();
      const closed = once(server, 'close');
      server.close();
      closeUnusedSockets();
      const graceIsOver = setTimeout(closeUnusedSockets, FIRST_REQUEST_GRACE_MS);
      for (const response of running) if (!response.headersSent) response.shouldKeepAlive = false;
      const cut = (): void => server.closeAllConnections();
      if (deadline.aborted) cut();
      deadline.addEventListener('abort', cut, { once: true });
      await closed;
      clearTimeout(graceIsOver);
      deadline.removeEventListener('abort', cut);
    },
  };
}
