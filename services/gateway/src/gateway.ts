import type http from 'node:http';
import { encodeErrorForPath } from '@zai2api/dialects';
import {
  FIRST_REQUEST_GRACE_MS,
  assignRequestId,
  handleErrors,
  logAccess,
  reportAppErrors,
  type RequestState,
  type Runtime,
} from '@zai2api/runtime';
import Koa, { type Middleware } from 'koa';
import type { ResolvedGatewaySettings } from './config.ts';
import type { GatewayState } from './gateway-state.ts';
import { createConcurrencyLimiter } from './limits/concurrency-limiter.ts';
import type { RateLimiter } from './limits/rate-limiter.ts';
import { createGatewayMetrics } from './metrics.ts';
import { allowCrossOrigin, createOriginCheck } from './middleware/allow-cross-origin.ts';
import { answerPublicRoutes } from './middleware/answer-public-routes.ts';
import { authenticate, createKeyCheck } from './middleware/authenticate.ts';
import { dropStalledBody } from './middleware/drop-stalled-body.ts';
import { findRoute } from './middleware/find-route.ts';
import { limitBody } from './middleware/limit-body.ts';
import { limitConcurrency } from './middleware/limit-concurrency.ts';
import { limitRate } from './middleware/limit-rate.ts';
import { observeRequests } from './middleware/observe-requests.ts';
import { refuseWhileStopping } from './middleware/refuse-while-stopping.ts';
import { requireRoute } from './middleware/require-route.ts';
import { addTimingHeaders } from './middleware/add-timing-headers.ts';
import { unknownUrl } from './refusals.ts';
import { createInnerClient } from './websocket/inner-client.ts';
import type { ConnectionTimes } from './websocket/responses-connection.ts';
import { createWebSocketEdge, type WebSocketEdge } from './websocket/websocket-edge.ts';

/** (contract 2.8) */
const webSocketTimes: ConnectionTimes = { pingMs: 25_000, idleMs: 600_000, maxAgeMs: 3_600_000 };

/** The public edge, ready to be given to `listen`. */
export interface Gateway {
  readonly app: Koa<GatewayState>;
  readonly callback: http.RequestListener;
  /** For upgrades to WebSocket. */
  readonly upgrade: WebSocketEdge['accept'];
}

/**
 * Builds the gateway. `backend` answers the served endpoints: over HTTP (`createHttpBackend`), or the translator's own middleware in the
 * same process. Shortly after the phase `servers` of the runtime's stop has begun, new requests are refused.
 */
export function createGateway(options: {
  readonly settings: ResolvedGatewaySettings;
  readonly runtime: Pick<Runtime, 'name' | 'version' | 'logger' | 'registry' | 'onStop'>;
  readonly backend: Middleware<GatewayState> | Middleware<RequestState>;
  /** Undefined: no limit. */
  readonly rateLimiter?: RateLimiter | undefined;
  /** For tests, which do not wait for an hour. */
  readonly webSocketTimes?: Partial<ConnectionTimes>;
}): Gateway {
  const { settings, runtime, backend, rateLimiter } = options;
  const { logger } = runtime;
  const limiter = createConcurrencyLimiter(settings.concurrency);
  const metrics = createGatewayMetrics(runtime.registry, () => limiter.waiting());
  const checkKey = createKeyCheck(settings.keys);
  let isStopping = false;
  runtime.onStop('servers', 'refuse new requests', () => {
    // Not at once: what comes first on a connection was sent before its client could know.
    setTimeout(() => (isStopping = true), FIRST_REQUEST_GRACE_MS).unref();
    return Promise.resolve();
  });

  const middlewares: readonly Middleware<GatewayState>[] = [
    // First, so that every answer and every line has the id.
    assignRequestId(),
    addTimingHeaders(),
    // Before the route is made canonical: the log shows the path as it was asked for.
    ...(settings.logsRequests ? [logAccess(logger)] : []),
    findRoute(),
    observeRequests(metrics),
    // Outside all that may throw.
    handleErrors({
      encodeError: encodeErrorForPath,
      logger,
      onError: ({ code, details: { layer } }) => metrics.errors.inc({ code, layer }),
    }),
    // Before the key: browsers send preflights without one, and hide errors without CORS headers.
    allowCrossOrigin(settings.corsOrigins),
    refuseWhileStopping(() => isStopping),
    answerPublicRoutes(runtime),
    // Before anything that costs: strangers use up no slot and no memory.
    authenticate(checkKey),
    requireRoute(),
    limitBody(settings.maxBodyBytes),
    limitRate(rateLimiter, metrics),
    // Last: only what will run waits for a slot.
    limitConcurrency(limiter, metrics),
    // Who waits for a slot is not read, and does not stall.
    dropStalledBody(),
    backend as Middleware<GatewayState>,
    (ctx) => {
      throw unknownUrl(ctx.method, ctx.path);
    },
  ];

  const app = new Koa<GatewayState>();
  reportAppErrors(app, logger);
  for (const middleware of middlewares) app.use(middleware);
  const handle = app.callback();
  const callback: http.RequestListener = (request, response) => void handle(request, response);
  const webSockets = createWebSocketEdge({
    ...settings.webSockets,
    maxFrameBytes: settings.maxBodyBytes,
    times: { ...webSocketTimes, ...options.webSocketTimes },
    checkKey,
    allowsOrigin: createOriginCheck(settings.corsOrigins),
    inner: createInnerClient(callback),
    metrics,
    logger,
    logsConnections: settings.logsRequests,
  });
  runtime.onStop('servers', 'websockets', (deadline) => webSockets.drain(deadline));
  return { app, callback, upgrade: webSockets.accept };
}
