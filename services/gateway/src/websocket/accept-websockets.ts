import { STATUS_CODES, type IncomingMessage, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { createRequestId, type Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { WebSocketServer } from 'ws';
import { encodeErrorAnswer } from '../encode-gateway-error.ts';
import { matchRoute } from '../match-route.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { KeyCheck } from '../middleware/authenticate.ts';
import { createInnerRequests } from './inner-requests.ts';
import { serveConnection, type ConnectionLimits, type ServedConnection } from './serve-connection.ts';

export interface WebSocketOptions {
  /** The gateway's own listener: every request of a connection passes it. */
  readonly listener: RequestListener;
  readonly isEnabled: boolean;
  readonly checkKey: KeyCheck;
  /** Whether pages of this origin may connect. */
  readonly allowsOrigin: (origin: string) => boolean;
  readonly maxFrameBytes: number;
  readonly limits?: ConnectionLimits;
  readonly metrics: Pick<GatewayMetrics, 'webSockets'>;
  readonly logger: Logger;
}

/** The WebSocket side of the gateway. */
export interface WebSockets {
  /** For the `upgrade` event of a server. */
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Accepts no further ones, lets running responses finish, closes all; cuts at the deadline. */
  stop(deadline: AbortSignal): Promise<void>;
}

const defaultLimits: ConnectionLimits = { pingMs: 25_000, idleMs: 600_000, lifetimeMs: 3_600_000 };
/** Who asks, and as what: nothing else of the upgrade is a header of the requests on it. */
const keptHeaders = ['authorization', 'x-api-key', 'user-agent', 'openai-beta', 'traceparent', 'tracestate'];

/** Takes upgrades of `/v1/responses` and its aliases; refuses others with an HTTP answer (contract 2.8). */
export function createWebSockets(options: WebSocketOptions): WebSockets {
  const { logger, limits = defaultLimits } = options;
  const inner = createInnerRequests(options.listener);
  const connections = new Set<ServedConnection>();
  let isStopping = false;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxFrameBytes,
    // Without memory from frame to frame: that of all connections together would be large.
    perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 4096 },
  });

  function check(request: IncomingMessage): void {
    const path = (request.url ?? '/').replace(/[?#].*$/s, '');
    const match = matchRoute('POST', path);
    if (match.kind !== 'route' || match.route.name !== 'responses') {
      throw new TurnError('not_found', `Invalid URL (GET ${path})`, { layer: 'client' });
    }
    if (isStopping) throw new TurnError('shutting_down', 'The service is stopping.', { layer: 'gateway' });
    const { origin } = request.headers;
    if (origin !== undefined && !options.allowsOrigin(origin)) {
      throw new TurnError('forbidden', 'Pages of this origin may not connect.', { layer: 'client' });
    }
    options.checkKey(request.headers);
    if (!options.isEnabled) {
      throw new TurnError('unsupported', 'WebSockets are switched off here: use HTTP.', { layer: 'client' });
    }
  }

  return {
    accept(request, socket, head) {
      try {
        check(request);
      } catch (reason) {
        refuse(request, socket, TurnError.from(reason), options.isEnabled);
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const headers = Object.fromEntries(
          keptHeaders.flatMap((name) =>
            typeof request.headers[name] === 'string' ? [[name, request.headers[name]]] : [],
          ),
        );
        const connection = serveConnection(webSocket, { inner, headers, limits, logger });
        connections.add(connection);
        options.metrics.webSockets.inc();
        webSocket.once('close', () => {
          connections.delete(connection);
          options.metrics.webSockets.dec();
        });
      });
    },
    async stop(deadline) {
      isStopping = true;
      const cut = (): void => {
        for (const connection of connections) connection.terminate();
      };
      if (deadline.aborted) cut();
      deadline.addEventListener('abort', cut, { once: true });
      await Promise.all([...connections].map((connection) => connection.drain()));
      deadline.removeEventListener('abort', cut);
    },
  };
}

/** Answers an upgrade with an HTTP error and closes. Where WebSockets are off, 426 sends clients to HTTP (contract 2.8). */
function refuse(request: IncomingMessage, socket: Duplex, error: TurnError, isEnabled: boolean): void {
  const path = (request.url ?? '/').replace(/[?#].*$/s, '');
  const answer = encodeErrorAnswer(error, { path, headers: request.headers, state: { requestId: createRequestId() } });
  const status = error.code === 'unsupported' && !isEnabled ? 426 : answer.status;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(answer.body)}`,
    'connection: close',
  ];
  socket.on('error', () => undefined);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${answer.body}`);
}
