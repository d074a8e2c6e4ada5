import type { Readable } from 'node:stream';
import type { ParameterizedContext } from 'koa';
import type { RequestState } from './assign-request-id.ts';

/** The stream to read the request's body from: the counted one where a middleware before limits its size, else the request itself. */
export function requestBodyOf(ctx: ParameterizedContext<RequestState>): Readable {
  return ctx.state.requestBody ?? ctx.req;
}
