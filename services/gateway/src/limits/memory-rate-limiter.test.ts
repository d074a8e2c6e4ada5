import { createMemoryRateLimiter } from './memory-rate-limiter.ts';
import { describeRateLimiter } from './rate-limiter.conformance.ts';

describeRateLimiter('createMemoryRateLimiter', (rate, clock) => createMemoryRateLimiter(rate, () => clock.ms));
