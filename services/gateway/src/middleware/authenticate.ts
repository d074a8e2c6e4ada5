import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { principalOfKey, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware } from 'koa';
import type { ApiKey } from '../api-keys.ts';
import type { GatewayState } from '../gateway-state.ts';

const BEARER = /^Bearer +(\S+) *$/i;

/** Finds out by the headers of a request who calls. Throws the TurnError of a caller without a valid key. */
export type KeyCheck = (headers: IncomingHttpHeaders) => Pick<RequestState, 'principal' | 'keyName'>;

/**
 * A check for one of the keys, in `Authorization: Bearer` or in `x-api-key`. Hashes are compared, all of them and in constant time, so that
 * neither the length nor the first wrong character of a key can be measured. Without keys everybody passes.
 */
export function createKeyCheck(keys: readonly ApiKey[]): KeyCheck {
  if (keys.length === 0) return () => ({});
  const known = keys.map(({ key, name }) => ({ hash: hashOf(key.reveal()), name }));
  const find = (presented: string): ReturnType<KeyCheck> | undefined => {
    const hash = hashOf(presented);
    const [found] = known.filter((each) => timingSafeEqual(each.hash, hash));
    if (!found) return undefined;
    return { principal: principalOfKey(presented), ...(found.name !== undefined && { keyName: found.name }) };
  };
  return (headers) => {
    const presented = presentedKeys(headers);
    for (const key of presented) {
      const found = find(key);
      if (found) return found;
    }
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
    Object.assign(ctx.state, check(ctx.headers));
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
