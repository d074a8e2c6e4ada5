import { Socket } from 'node:net';
import { onResponseClose } from '@zai2api/runtime';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

/** Longer than networks hang, and shorter than anybody wants to lose a slot to a client that is gone. */
const MAX_BODY_SILENCE_MS = 30_000;
/** How often the silence is looked at while it lasts. */
const LOOKS = 4;

/**
 * Closes connections whose body has stopped coming: each of them would hold its slot until the server's own, much longer, limit. To stand
 * where the body is read at once: while nobody reads it, it does not come either.
 */
export function dropStalledBody(maxSilenceMs = MAX_BODY_SILENCE_MS): Middleware<GatewayState> {
  return (ctx, next) => {
    const { req: request, res: response } = ctx;
    // A connection within the process does not stall.
    if (request.complete || !(request.socket instanceof Socket)) return next();
    let bytesRead = request.socket.bytesRead;
    let silentLooks = 0;
    const watch = setInterval(() => {
      silentLooks = request.socket.bytesRead === bytesRead ? silentLooks + 1 : 0;
      bytesRead = request.socket.bytesRead;
      if (request.complete) clearInterval(watch);
      else if (silentLooks >= LOOKS) request.destroy();
    }, maxSilenceMs / LOOKS);
    watch.unref();
    onResponseClose(response, () => clearInterval(watch));
    return next();
  };
}
