import { onResponseClose } from '@zai2api/runtime';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { RouteMatch } from '../match-route.ts';

/** Counts and times every request until its response is over. */
export function observeRequests(metrics: GatewayMetrics): Middleware<GatewayState> {
  return (ctx, next) => {
    const route = labelOf(ctx.state.match);
    const startedAtMs = performance.now();
    const { res: response } = ctx;
    metrics.inflight.inc({ route });
    onResponseClose(response, () => {
      metrics.inflight.dec({ route });
      metrics.duration.observe({ route }, (performance.now() - startedAtMs) / 1000);
      metrics.requests.inc({ route, status: response.writableFinished ? response.statusCode : 499 });
    });
    return next();
  };
}

function labelOf(match: RouteMatch): string {
  return match.kind === 'route' || match.kind === 'wrong-method' ? match.route.name : 'other';
}
