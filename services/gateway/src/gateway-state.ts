import type { RequestState } from '@zai2api/runtime';
import type { RouteMatch } from './match-route.ts';

/** What the gateway's middlewares keep in `ctx.state`. */
export interface GatewayState extends RequestState {
  match: RouteMatch;
}

/** Whose limits a request counts against. Where nobody is asked for a key, all are one. */
export function principalOf({ principal = 'anonymous' }: Pick<RequestState, 'principal'>): string {
  return principal;
}
