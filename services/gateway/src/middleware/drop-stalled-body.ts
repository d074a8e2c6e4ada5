import { onResponseClose } from '@zai2api/runtime';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

/** Above the longest wait for a slot, during which nobody reads the body. */
const MAX_BODY_SILENCE_MS = 30_000;

/** Closes connections whose body has stopped coming: each of them would hold a slot until the server's own, much longer, limit. */
export function dropStalledBody(maxSilenceMs = MAX_BODY_SILENCE_MS): Middleware<GatewayState> {
  return (ctx, next) => {
    const { req: request, res: response } = ctx;
    if (request.complete) return next();
    let bytesRead = request.socket.bytesRead;
    const watch = setInterval(() => {
      if (request.complete) clearInterval(watch);
      else if (request.socket.bytesRead === bytesRead) request.destroy();
      bytesRead = request.socket.bytesRead;
    }, maxSilenceMs);
    watch.unref();
    onResponseClose(response, () => clearInterval(watch));
    return next();
  };
}
