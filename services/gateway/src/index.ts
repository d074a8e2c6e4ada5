export { readApiKeys } from './api-keys.ts';
export { createHttpBackend, type HttpBackend } from './backend/create-http-backend.ts';
export {
  gatewayProcessSettings,
  gatewaySettings,
  loadGatewaySettings,
  resolveGatewaySettings,
  type GatewaySettings,
  type ResolvedGatewaySettings,
} from './config.ts';
export { createGateway, type Gateway } from './gateway.ts';
export { openRateLimiter } from './limits/open-rate-limiter.ts';
export type { RateLimiter } from './limits/rate-limiter.ts';
