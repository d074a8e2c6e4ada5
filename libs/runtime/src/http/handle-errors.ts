import type { IncomingHttpHeaders } from 'node:http';
import { TurnError, type ErrorCode } from '@zai2api/turn';
import type { Middleware, ParameterizedContext } from 'koa';
import type { Logger } from '../create-logger.ts';
import { noteServerError } from '../telemetry/server-span.ts';
import { answerAndDrain } from './answer-and-drain.ts';
import type { RequestState } from './assign-request-id.ts';

/** An error as it goes to the client: the dialect's status, headers and text. */
export interface EncodedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What decides the shape of an error. */
export interface FailedRequest {
  /** Without query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
}

/** How errors are told, and who hears of them. */
export interface HandleErrorsOptions {
  /** Gives an error the shape that the path's clients expect; must not throw. */
  readonly encodeError: (error: TurnError, request: FailedRequest) => EncodedAnswer;
  readonly logger: Logger;
  /** Hears of each error that a client is told of. */
  readonly onError?: (error: TurnError) => void;
}

/** Headers of an answer that was begun and is replaced by an error. */
const bodyHeaders = [
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'cache-control',
  'etag',
  'last-modified',
];

/** Statuses of errors by other packages (their `expose`d 4xx) and what they are in our words. */
const codeByStatus: Readonly<Partial<Record<number, ErrorCode>>> = {
  404: 'not_found',
  413: 'request_too_large',
  415: 'unsupported_media_type',
};

/**
 * The one place where a thrown error becomes an answer. Before the headers it is a typed answer in the dialect's shape, after them the
 * connection is cut; nothing is sent to a client that left. Errors that are our fault or the upstream's are logged with their causes.
 */
export function handleErrors({ encodeError, logger, onError }: HandleErrorsOptions): Middleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next();
    } catch (reason) {
      const error = toTurnError(reason);
      const { res: response } = ctx;
      noteServerError(error, { hasStatus: !response.headersSent });
      if (response.destroyed || response.closed || ctx.req.socket.destroyed) {
        ctx.respond = false;
        return;
      }
      onError?.(error);
      const encoded = encodeError(error, { path: ctx.path, headers: ctx.headers, requestId: ctx.state.requestId });
      if (encoded.status >= 500) {
        // What the upstream or its pool refuses is no fault of this process.
        const level = error.details.layer === 'upstream' || error.details.layer === 'pool' ? 'warn' : 'error';
        logger[level]({ err: error, requestId: ctx.state.requestId, status: encoded.status }, 'request failed');
      }
      if (response.headersSent) {
        ctx.respond = false;
        response.destroy();
        return;
      }
      // A handler that meant to write by itself has failed before it did.
      ctx.respond = true;
      for (const name of bodyHeaders) ctx.remove(name);
      ctx.status = encoded.status;
      ctx.set(encoded.headers);
      if (!response.hasHeader('content-type')) ctx.set('content-type', 'application/json; charset=utf-8');
      if (isClosing(ctx) && !ctx.req.complete) answerAndDrain(ctx, encoded.body);
      else ctx.body = encoded.body;
    }
  };
}

function isClosing(ctx: ParameterizedContext<RequestState>): boolean {
  return ctx.res.getHeader('connection') === 'close' || !ctx.res.shouldKeepAlive;
}

function toTurnError(reason: unknown): TurnError {
  if (
    !TurnError.is(reason) &&
    reason instanceof Error &&
    'status' in reason &&
    'expose' in reason &&
    reason.expose === true
  ) {
    const code = codeByStatus[Number(reason.status)] ?? 'invalid_request';
    return new TurnError(code, reason.message, { layer: 'client', cause: reason });
  }
  return TurnError.from(reason);
}
