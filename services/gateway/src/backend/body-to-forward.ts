import { PassThrough } from 'node:stream';
import { requestBodyOf } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

/** A request's body on its way inside. Nothing is read before the first byte is wanted, so that until then it can be given to another call. */
export interface BodyToForward extends AsyncIterable<Uint8Array> {
  readonly hasBegun: boolean;
}

/** Null when the request has none. */
export function bodyToForward(ctx: ParameterizedContext<GatewayState>): BodyToForward | null {
  const body = requestBodyOf(ctx);
  if (body === ctx.req && !(Number(ctx.headers['content-length'] ?? 0) > 0)) return null;
  let hasBegun = false;
  return {
    get hasBegun() {
      return hasBegun;
    },
    async *[Symbol.asyncIterator]() {
      hasBegun = true;
      // Never the request itself: a call that fails destroys its body, and the connection to our caller would go with it.
      yield* (body === ctx.req ? ctx.req.pipe(new PassThrough()) : body) as AsyncIterable<Uint8Array>;
    },
  };
}
