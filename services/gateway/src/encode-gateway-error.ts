import { errorDialectForPath } from '@zai2api/dialects';
import type { EncodedAnswer, RequestState } from '@zai2api/runtime';
import type { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';

type Context = Pick<ParameterizedContext<RequestState>, 'path' | 'headers' | 'state'>;

/** The error as a whole answer in the shape that clients of the request's path expect. */
export function encodeErrorAnswer(error: TurnError, ctx: Context): EncodedAnswer {
  const { status, headers, body } = errorDialectForPath(ctx.path, ctx.headers).encodeError(error, {
    requestId: ctx.state.requestId,
  });
  return { status, headers, body: JSON.stringify(body) };
}

/**
 * The error as the last frame of an event stream that was cut anywhere. The blank line first ends a frame that was cut in its middle
 * (contract 1.4).
 */
export function encodeErrorFrame(error: TurnError, ctx: Context): string {
  return `\n\n${errorDialectForPath(ctx.path, ctx.headers).encodeErrorFrame(error)}`;
}
