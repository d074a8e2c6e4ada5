import { errorDialectForPath } from '@zai2api/dialects';
import type { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';

/**
 * The error as the last frame of an event stream that was cut anywhere. The blank line first ends a frame that was cut in its middle
 * (contract 1.4).
 */
export function encodeErrorFrame(
  error: TurnError,
  { path, headers }: Pick<ParameterizedContext, 'path' | 'headers'>,
): string {
  return `\n\n${errorDialectForPath(path, headers).encodeErrorFrame(error)}`;
}
