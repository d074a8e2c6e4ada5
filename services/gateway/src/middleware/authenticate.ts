import { createHash, timingSafeEqual } from 'node:crypto';
import { principalOfKey, type Secret } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware, ParameterizedContext } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

const BEARER = /^Bearer +(\S+) *$/i;

/**
 * Asks for one of the keys, in `Authorization: Bearer` or in `x-api-key`. Hashes are compared, all of them and in constant time, so that
 * neither the length nor the first wrong character of a key can be measured. Without keys everybody passes.
 */
export function authenticate(keys: readonly Secret[]): Middleware<GatewayState> {
  if (keys.length === 0) return (_ctx, next) => next();
  const hashes = keys.map((key) => hashOf(key.reveal()));
  const isKnown = (presented: string): boolean => {
    const hash = hashOf(presented);
    return hashes.filter((known) => timingSafeEqual(known, hash)).length > 0;
  };
  return (ctx, next) => {
    const presented = presentedKeys(ctx);
    const key = presented.find(isKnown);
    if (key !== undefined) {
      ctx.state.principal = principalOfKey(key);
      return next();
    }
    ctx.set('www-authenticate', 'Bearer');
    if (presented.length > 0) {
      throw new TurnError('unauthenticated', 'The API key is not valid.', {
        layer: 'client',
        reason: 'invalid_api_key',
      });
    }
    throw new TurnError(
      'unauthenticated',
      'An API key is required: send it as "Authorization: Bearer <key>" or "x-api-key: <key>".',
      {
        layer: 'client',
      },
    );
  };
}

function presentedKeys(ctx: ParameterizedContext<GatewayState>): string[] {
  const bearer = BEARER.exec(ctx.get('authorization'))?.[1];
  return [bearer, ctx.get('x-api-key')].filter((key): key is string => key !== undefined && key !== '');
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
