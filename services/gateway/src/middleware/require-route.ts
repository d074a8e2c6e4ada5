import { TurnError } from '@zai2api/turn';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import { unknownUrl } from '../refusals.ts';
import { supportedEndpoints } from '../routes.ts';

/** Lets only served endpoints through, with a telling answer for the others (contract 4.2). */
export function requireRoute(): Middleware<GatewayState> {
  return (ctx, next) => {
    const { match } = ctx.state;
    switch (match.kind) {
      case 'route':
        return next();
      case 'wrong-method':
        ctx.set('allow', [...match.route.methods, 'OPTIONS'].join(', '));
        throw new TurnError('method_not_allowed', `${ctx.method} is not allowed for ${ctx.path}.`, { layer: 'client' });
      case 'unsupported':
        throw new TurnError(
          match.isUnknown ? 'not_found' : 'unsupported',
          `${ctx.path} is not supported. Supported are: ${supportedEndpoints.join(', ')}.`,
          { layer: 'client', reason: 'unsupported_endpoint' },
        );
      case 'unknown':
        throw unknownUrl(ctx.method, ctx.path);
    }
  };
}
