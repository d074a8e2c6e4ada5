import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Middleware } from 'koa';

/** What the middlewares of this package keep in `ctx.state`. */
export interface RequestState {
  /** `req_` and 32 hexadecimal digits. */
  requestId: string;
  /** Set when the body must be read from here and not from the request; see `requestBodyOf`. */
  requestBody?: Readable;
  /** Who asks, as a digest of the key that was presented; absent where nobody needs one. */
  principal?: string;
  /** The name of that key; absent for one without a name. */
  keyName?: string;
}

const REQUEST_ID = /^req_[0-9a-f]{32}$/;

/** A fresh id of a request. */
export const createRequestId = (): string => `req_${randomUUID().replaceAll('-', '')}`;

/**
 * Gives each request its id, in `ctx.state.requestId` and in the headers `x-request-id` and `request-id` of every answer (contract 5.4).
 * With `trustIncoming` (an inner hop behind our own gateway) a well-formed incoming `x-request-id` is kept.
 */
export function assignRequestId({ trustIncoming = false }: { trustIncoming?: boolean } = {}): Middleware<RequestState> {
  return (ctx, next) => {
    const incoming = trustIncoming ? ctx.get('x-request-id') : '';
    const requestId = REQUEST_ID.test(incoming) ? incoming : createRequestId();
    ctx.state.requestId = requestId;
    ctx.set('x-request-id', requestId);
    ctx.set('request-id', requestId);
    return next();
  };
}
