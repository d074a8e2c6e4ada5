import type { RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';

/** Whoever asked: responses are only ever shown to those who made them. All of them are one where nobody needs a key. */
export function tenantOf({ state: { principal } }: ParameterizedContext<RequestState>): string {
  return principal === undefined ? 'anonymous' : `key:${principal}`;
}
