import type { RequestState } from '@zai2api/runtime';
import type { RouteMatch } from './match-route.ts';

/** What the gateway's middlewares keep in `ctx.state`. */
export interface GatewayState extends RequestState {
  match: RouteMatch;
}
