import { createHash } from 'node:crypto';
import type { Middleware } from 'koa';
import type { RequestState } from './assign-request-id.ts';

/** Header by which the gateway says who asks. For the inside alone: what a client sends under this name is dropped. */
export const PRINCIPAL_HEADER = 'x-zai-principal';

/** Header by which the gateway says the name that the operator gave to the key of whoever asks. For the inside alone, too. */
export const KEY_NAME_HEADER = 'x-zai-key-name';

/** What the name of an API key may be. */
export const keyNamePattern = /^[a-z0-9][a-z0-9._-]{0,31}$/;

const DIGEST_LENGTH = 32;
const PRINCIPAL = new RegExp(`^[0-9a-f]{${DIGEST_LENGTH}}$`);

/** The name of whoever holds a key: always the same one, and no way back to the key. */
export function principalOfKey(key: string): string {
  return createHash('sha256').update(`principal:${key}`).digest('hex').slice(0, DIGEST_LENGTH);
}

/** Takes over what the gateway says. Only for an inner hop that nobody but our own gateway reaches. */
export function trustPrincipal(): Middleware<RequestState> {
  return (ctx, next) => {
    const principal = ctx.get(PRINCIPAL_HEADER);
    if (PRINCIPAL.test(principal)) ctx.state.principal = principal;
    const keyName = ctx.get(KEY_NAME_HEADER);
    if (keyNamePattern.test(keyName)) ctx.state.keyName = keyName;
    return next();
  };
}
