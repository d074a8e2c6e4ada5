import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import { shuttingDown } from '../refusals.ts';

/** New requests on connections that are still open during the stop are sent elsewhere. */
export function refuseWhileStopping(isStopping: () => boolean): Middleware<GatewayState> {
  return (_ctx, next) => {
    if (!isStopping()) return next();
    throw shuttingDown();
  };
}
