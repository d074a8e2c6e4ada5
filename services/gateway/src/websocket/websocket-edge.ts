import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { canonicalPath, encodeErrorForPath } from '@zai2api/dialects';
import { createRequestId, loggedHeader, loggedPath, type Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { WebSocketServer, type WebSocket } from 'ws';
import type { GatewayMetrics } from '../metrics.ts';
import type { KeyCheck } from '../middleware/authenticate.ts';
import { shuttingDown, unknownUrl } from '../refusals.ts';
import { createConversations } from './conversations.ts';
import { createFrameBudget } from './frame-budget.ts';
import type { InnerClient } from './inner-client.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { serveResponses, type ConnectionTimes, type ResponsesConnection } from './responses-connection.ts';

/** Responses over WebSocket, at the edge (contract 2.8). */
export interface WebSocketEdge {
  /** Takes over the connection of a request that asks for a WebSocket, or refuses it by an HTTP answer. */
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Lets what runs finish and closes all connections; cuts them when `deadline` aborts. New ones are refused. */
  drain(deadline: AbortSignal): Promise<void>;
}

/** Who may connect, how many, and with what they are served. */
export interface WebSocketEdgeOptions {
  readonly isEnabled: boolean;
  readonly maxConnections: number;
  readonly maxFrameBytes: number;
  readonly times: ConnectionTimes;
  readonly checkKey: KeyCheck;
  /** Whether pages of this origin may connect. */
  readonly allowsOrigin: (origin: string) => boolean;
  readonly inner: InnerClient;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Whether each connection is logged when it is over. */
  readonly logsConnections: boolean;
}

const PATH = '/v1/responses';
const ROUTE = 'responses-websocket';
const SWITCHING_PROTOCOLS = 101;
const UPGRADE_REQUIRED = 426;

/** What is kept of conversations for all connections together, in UTF-16 units; Latin text takes as many bytes. */
const MAX_KEPT_SIZE = 64 * 1024 * 1024;

/** What creates that wait or run may hold together, in the same units; parsed, they take up a few times as much. */
const MAX_HELD_SIZE = 64 * 1024 * 1024;

/** Takes the upgrades of the Responses endpoint under all of its aliases. */
export function createWebSocketEdge(options: WebSocketEdgeOptions): WebSocketEdge {
  const { metrics, logger } = options;
  const connections = new Set<ResponsesConnection>();
  const conversations = createConversations(MAX_KEPT_SIZE);
  const frames = createFrameBudget(MAX_HELD_SIZE);
  let isDraining = false;
  const requestIds = new WeakMap<IncomingMessage, string>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: options.maxFrameBytes,
    // None: the first that a client offers may be its key.
    handleProtocols: () => false,
    // Taken in, so that clients may save bytes; never used for answers, whose frames it would hold up. No memory is kept between frames.
    perMessageDeflate: {
      clientNoContextTakeover: true,
      serverNoContextTakeover: true,
      threshold: Number.MAX_SAFE_INTEGER,
      concurrencyLimit: 2,
    },
  });
  server.on('headers', (headers, request) => {
    const id = requestIds.get(request) ?? '';
    headers.push(`x-request-id: ${id}`, `request-id: ${id}`);
  });
  server.on('wsClientError', (error, socket, request) => {
    refuse(request, socket, requestIds.get(request) ?? '', badHandshake(error));
  });

  /** Throws a TurnError for whoever must not, or cannot, connect. */
  function admit({ headers, url }: IncomingMessage): void {
    const path = pathOf(url);
    if (canonicalPath(path) !== PATH) throw unknownUrl('GET', path);
    if (headers.origin !== undefined && !options.allowsOrigin(headers.origin)) {
      throw new TurnError('forbidden', 'Pages of this origin may not connect.', { layer: 'client' });
    }
    options.checkKey(headers);
    if (!options.isEnabled) {
      throw new TurnError('unsupported', 'WebSocket is switched off here. Use POST /v1/responses.', {
        layer: 'client',
        reason: 'unsupported_endpoint',
      });
    }
    if (isDraining) throw shuttingDown();
    if (connections.size >= options.maxConnections) {
      throw new TurnError('no_capacity', 'Too many connections are open. Try again in a moment, or use POST.', {
        layer: 'gateway',
        reason: 'too_many_connections',
        retryAfterSeconds: 5,
      });
    }
  }

  function refuse(request: IncomingMessage, socket: Duplex, requestId: string, error: TurnError): void {
    const path = pathOf(request.url);
    const { headers, body, ...encoded } = encodeErrorForPath(error, { path, headers: request.headers, requestId });
    // Clients take it for a hint to go on by POST (contract 2.8).
    const status = error.code === 'unsupported' ? UPGRADE_REQUIRED : encoded.status;
    metrics.requests.inc({ route: ROUTE, status });
    metrics.errors.inc({ code: error.code, layer: error.details.layer });
    if (options.logsConnections) {
      logger.info({ requestId, path: loggedPath(path), status }, 'websocket refused');
    }
    refuseUpgrade(socket, {
      status,
      headers: { ...headers, 'x-request-id': requestId, 'request-id': requestId },
      body,
    });
  }

  function serve(socket: WebSocket, request: IncomingMessage): void {
    const startedAtMs = performance.now();
    const requestId = requestIds.get(request);
    const connection = serveResponses({
      socket,
      headers: request.headers,
      inner: options.inner,
      conversations: conversations.open(),
      frames,
      times: options.times,
      logger: logger.child({ requestId }),
    });
    connections.add(connection);
    metrics.webSockets.inc();
    metrics.requests.inc({ route: ROUTE, status: SWITCHING_PROTOCOLS });
    socket.once('close', (code) => {
      connections.delete(connection);
      metrics.webSockets.dec();
      if (!options.logsConnections) return;
      const fields = {
        requestId,
        path: PATH,
        closeCode: code,
        responses: connection.responses,
        durationMs: Math.round(performance.now() - startedAtMs),
        clientRequestId: loggedHeader(request.headers['x-client-request-id']),
      };
      logger.info(fields, 'websocket');
    });
  }

  return {
    accept(request, socket, head) {
      const requestId = createRequestId();
      requestIds.set(request, requestId);
      // Until the WebSocket takes it over, and for refusals that nobody waits for.
      const ignore = (): void => undefined;
      socket.on('error', ignore);
      try {
        admit(request);
      } catch (reason) {
        refuse(request, socket, requestId, TurnError.from(reason));
        return;
      }
      socket.off('error', ignore);
      server.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, request));
    },
    async drain(deadline) {
      isDraining = true;
      await Promise.all([...connections].map((connection) => connection.drain(deadline)));
    },
  };
}

/** The message of the library names the header. */
function badHandshake({ message }: Error): TurnError {
  return new TurnError('invalid_request', message, { layer: 'client' });
}

function pathOf(url = '/'): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
