import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import { matchRoute } from '../match-route.ts';

/** Matches the route once for all that follows, and gives the request its canonical path, so that a backend knows one form only. */
export function findRoute(): Middleware<GatewayState> {
  return (ctx, next) => {
    const match = matchRoute(ctx.method, ctx.path);
    ctx.state.match = match;
    if (match.kind === 'route' && match.path !== ctx.path) ctx.path = match.path;
    return next();
  };
}
