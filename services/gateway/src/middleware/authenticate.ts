import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { principalOfKey, type Secret } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

const BEARER = /^Bearer +(\S+) *$/i;

/** Finds out by the headers of a request who calls. Throws the TurnError of a caller without a valid key. */
export type KeyCheck = (headers: IncomingHttpHeaders) => { readonly principal?: string };

/**
 * A check for one of the keys, in `Authorization: Bearer` or in `x-api-key`. Hashes are compared, all of them and in constant time, so that
 * neither the length nor the first wrong character of a key can be measured. Without keys everybody passes.
 */
export function createKeyCheck(keys: readonly Secret[]): KeyCheck {
  if (keys.length === 0) return () => ({});
  const hashes = keys.map((key) => hashOf(key.reveal()));
  const isKnown = (presented: string): boolean => {
    const hash = hashOf(presented);
    return hashes.filter((known) => timingSafeEqual(known, hash)).length > 0;
  };
  return (headers) => {
    const presented = presentedKeys(headers);
    const key = presented.find(isKnown);
    if (key !== undefined) return { principal: principalOfKey(key) };
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

/** Lets those through whom the check knows. */
export function authenticate(check: KeyCheck): Middleware<GatewayState> {
  return (ctx, next) => {
    const { principal } = check(ctx.headers);
    if (principal !== undefined) ctx.state.principal = principal;
    return next();
  };
}

function presentedKeys({ authorization = '', 'x-api-key': apiKey }: IncomingHttpHeaders): string[] {
  const bearer = BEARER.exec(authorization)?.[1];
  return [bearer, apiKey].filter((key): key is string => typeof key === 'string' && key !== '');
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
