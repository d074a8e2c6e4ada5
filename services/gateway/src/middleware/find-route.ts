import { speaksAnthropic } from '@zai2api/dialects';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import { matchRoute } from '../match-route.ts';

/** What clients of the Anthropic API say of themselves; the oldest version that they still send. */
const anthropicVersion = '2023-06-01';

/**
 * Matches the route once for all that follows, and gives the request its canonical path, so that a backend knows one form only. Where an
 * alias or the kind of the key says that the client speaks the Anthropic API, the request says so from here on by `anthropic-version`: the
 * backend sees neither the alias nor the key.
 */
export function findRoute(): Middleware<GatewayState> {
  return (ctx, next) => {
    const match = matchRoute(ctx.method, ctx.path);
    ctx.state.match = match;
    if (speaksAnthropic(ctx.path, ctx.req.headers)) ctx.req.headers['anthropic-version'] ??= anthropicVersion;
    if (match.kind === 'route' && match.path !== ctx.path) ctx.path = match.path;
    return next();
  };
}
