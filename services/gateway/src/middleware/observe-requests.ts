import { CLIENT_CLOSED_REQUEST, nameServerSpan, onResponseClose } from '@zai2api/runtime';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { RouteMatch } from '../match-route.ts';

/** Counts and times every request until its response is over, and gives its span the name of its route. */
export function observeRequests(metrics: GatewayMetrics): Middleware<GatewayState> {
  return (ctx, next) => {
    const { match } = ctx.state;
    const route = labelOf(match);
    if (match.kind === 'route') nameServerSpan(ctx.method, match.route.template);
    const startedAtMs = performance.now();
    const { res: response } = ctx;
    metrics.inflight.inc({ route });
    onResponseClose(response, () => {
      metrics.inflight.dec({ route });
      metrics.duration.observe({ route }, (performance.now() - startedAtMs) / 1000);
      metrics.requests.inc({ route, status: response.writableFinished ? response.statusCode : CLIENT_CLOSED_REQUEST });
    });
    return next();
  };
}

function labelOf(match: RouteMatch): string {
  return match.kind === 'route' || match.kind === 'wrong-method' ? match.route.name : 'other';
}
