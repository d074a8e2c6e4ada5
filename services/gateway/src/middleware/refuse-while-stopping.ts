import { TurnError } from '@zai2api/turn';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

/** New requests on connections that are still open during the stop are sent elsewhere. */
export function refuseWhileStopping(isStopping: () => boolean): Middleware<GatewayState> {
  return (_ctx, next) => {
    if (!isStopping()) return next();
    throw new TurnError('shutting_down', 'This instance is shutting down. Try again.', {
      layer: 'gateway',
      retryAfterSeconds: 1,
    });
  };
}
