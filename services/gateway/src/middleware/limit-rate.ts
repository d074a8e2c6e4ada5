import { errorDialectForPath } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import type { Middleware } from 'koa';
import { principalOf, type GatewayState } from '../gateway-state.ts';
import { rateLimitHeaders } from '../limits/rate-limit-headers.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { GatewayMetrics } from '../metrics.ts';

/**
 * Lets each key begin so many turns in a time. Every answer to a turn says what is left as of its admission, streams and failures too; other
 * requests are neither counted nor told (contract 3.7, 5.4).
 */
export function limitRate(limiter: RateLimiter | undefined, metrics: GatewayMetrics): Middleware<GatewayState> {
  if (limiter === undefined) return (_ctx, next) => next();
  return async (ctx, next) => {
    const { match } = ctx.state;
    if (match.kind !== 'route' || !match.route.isTurn) {
      await next();
      return;
    }
    const decision = await limiter.take(principalOf(ctx.state));
    ctx.set(rateLimitHeaders(decision, errorDialectForPath(ctx.path, ctx.headers).name, Date.now()));
    if (!decision.isAllowed) {
      metrics.rateLimited.inc({ limit: 'requests' });
      const seconds = decision.retryAfterMs / 1000;
      throw new TurnError(
        'rate_limited',
        `Rate limit of ${decision.limit} requests per minute reached. Try again in ${seconds.toFixed(1)}s.`,
        { layer: 'gateway', retryAfterSeconds: seconds },
      );
    }
    await next();
  };
}
