export { readApiKeys } from './api-keys.ts';
export {
  gatewayProcessSettings,
  gatewaySettings,
  resolveGatewaySettings,
  type GatewaySettings,
  type ResolvedGatewaySettings,
} from './config.ts';
export { createGateway, type Gateway } from './gateway.ts';
export { openRateLimiter } from './limits/open-rate-limiter.ts';
export type { RateLimiter } from './limits/rate-limiter.ts';
