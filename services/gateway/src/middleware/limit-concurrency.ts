import { abortOnClose, onResponseClose } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware } from 'koa';
import { principalOf, type GatewayState } from '../gateway-state.ts';
import type { ConcurrencyLimiter } from '../limits/concurrency-limiter.ts';
import type { GatewayMetrics } from '../metrics.ts';

/** Lets a turn start when a slot is free. The slot is held until the response is over, whichever side ended it. */
export function limitConcurrency(limiter: ConcurrencyLimiter, metrics: GatewayMetrics): Middleware<GatewayState> {
  return async (ctx, next) => {
    const { match } = ctx.state;
    if (match.kind !== 'route' || !match.route.isTurn) {
      await next();
      return;
    }
    const startedAtMs = performance.now();
    try {
      const slot = await limiter.acquire(principalOf(ctx.state), abortOnClose(ctx.res));
      onResponseClose(ctx.res, () => slot.release());
    } catch (error) {
      if (TurnError.is(error) && error.code === 'rate_limited') metrics.rateLimited.inc({ limit: 'concurrency' });
      throw error;
    } finally {
      metrics.queueWait.observe((performance.now() - startedAtMs) / 1000);
    }
    await next();
  };
}
