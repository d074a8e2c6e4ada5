import type { Socket } from 'node:net';
import type { Middleware, ParameterizedContext } from 'koa';
import type { Logger } from '../create-logger.ts';
import type { RequestState } from './assign-request-id.ts';
import { loggedHeader, loggedPath } from './logged-text.ts';
import { onResponseClose } from './on-response-close.ts';

/** The status that is logged and counted when the client left before its answer was complete (contract 5.1). */
export const CLIENT_CLOSED_REQUEST = 499;

/** Paths that are asked all the time by machines. */
const quietPaths: ReadonlySet<string> = new Set(['/health']);

/**
 * One line per request, when its response is over: method, path without query, status (499 when the client left), milliseconds, bytes
 * on the wire, request id. Bodies and headers are not logged, except the client's own request id and retry count.
 */
export function logAccess(parent: Logger): Middleware<RequestState> {
  // The line has known fields and none of them is secret: looking for secret keys in it costs ten times the line itself.
  const logger = parent.child({}, { redact: [] });
  return (ctx, next) => {
    const startedAtMs = performance.now();
    const { req: request, res: response, method, path } = ctx;
    const { socket } = request;
    const bytesBefore = socket.bytesWritten;
    onResponseClose(response, () => {
      logger[quietPaths.has(path) ? 'debug' : 'info'](
        {
          requestId: ctx.state.requestId,
          method,
          path: loggedPath(path),
          status: response.writableFinished ? response.statusCode : CLIENT_CLOSED_REQUEST,
          durationMs: Math.round(performance.now() - startedAtMs),
          bytes: writtenSince(socket, bytesBefore),
          clientRequestId: clientRequestIdOf(ctx),
          retryCount: loggedHeader(request.headers['x-stainless-retry-count']),
        },
        'request',
      );
    });
    return next();
  };
}

/** Undefined for a connection within the process, which does not count. */
function writtenSince({ bytesWritten }: Socket, before: number): number | undefined {
  return Number.isNaN(bytesWritten - before) ? undefined : bytesWritten - before;
}

/** What the client calls its request: never an id of ours, which an inner hop gets by the same header. */
function clientRequestIdOf({ req, state }: ParameterizedContext<RequestState>): string | undefined {
  const id = loggedHeader(req.headers['x-client-request-id']) ?? loggedHeader(req.headers['x-request-id']);
  return id === state.requestId ? undefined : id;
}
