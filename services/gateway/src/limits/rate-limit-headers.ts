import type { ClientDialectName } from '@zai2api/dialects';
import type { RateDecision } from './rate-limiter.ts';

/** The headers that say how much is left, in the words of the dialect (contract 5.4). `nowMs` is since the epoch. */
export function rateLimitHeaders(
  { limit, remaining, resetMs }: RateDecision,
  dialect: ClientDialectName,
  nowMs: number,
): Readonly<Record<string, string>> {
  if (dialect === 'anthropic-messages') {
    return {
      'anthropic-ratelimit-requests-limit': String(limit),
      'anthropic-ratelimit-requests-remaining': String(remaining),
      'anthropic-ratelimit-requests-reset': encodeTime(nowMs + resetMs),
    };
  }
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': encodeDuration(resetMs),
  };
}

/** RFC 3339 in whole seconds, never too early. */
function encodeTime(ms: number): string {
  return `${new Date(Math.ceil(ms / 1000) * 1000).toISOString().slice(0, -'.000Z'.length)}Z`;
}

/** As Go writes durations: `20ms`, `1s`, `6m0s`, `1h0m0s`. */
function encodeDuration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  const hours = Math.floor(minutes / 60);
  return `${hours === 0 ? '' : `${hours}h`}${minutes % 60}m${seconds % 60}s`;
}
