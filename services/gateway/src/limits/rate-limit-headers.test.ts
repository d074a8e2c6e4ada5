import { describe, expect, it } from '@jest/globals';
import { rateLimitHeaders } from './rate-limit-headers.ts';

const decision = (resetMs: number) => ({ isAllowed: true, limit: 60, remaining: 59, resetMs, retryAfterMs: 0 });

describe('rateLimitHeaders', () => {
  it.each([
    [0, '0ms'],
    [20, '20ms'],
    [999.2, '1000ms'],
    [1_000, '1s'],
    [1_001, '2s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [3_600_000, '1h0m0s'],
    [7_384_000, '2h3m4s'],
  ])('H11: write a reset in %d ms as %s', (ms, text) => {
    expect(rateLimitHeaders(decision(ms), 'openai-chat', 0)).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': text,
    });
  });

  it('H11: write it as a time for clients of the Anthropic API', () => {
    const nowMs = Date.UTC(2026, 10, 23, 12, 0, 0, 1);
    expect(rateLimitHeaders(decision(500), 'anthropic-messages', nowMs)).toEqual({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '59',
      'anthropic-ratelimit-requests-reset': '2026-11-23T12:00:01Z',
    });
  });
});
