import { describe, expect, it } from '@jest/globals';
import { TurnError, type ErrorCode } from '@zai2api/turn';
import { toSupplyFault, worstFault } from './supply-fault.ts';

describe('toSupplyFault', () => {
  it.each([
    ['upstream_challenged', 'challenged'],
    ['upstream_blocked', 'blocked'],
    ['upstream_busy', 'rate-limited'],
    ['upstream_forbidden', 'refused'],
    ['upstream_drifted', 'drifted'],
    ['upstream_unreachable', 'unreachable'],
    ['upstream_timeout', 'unreachable'],
    ['upstream_failed', 'failing'],
    ['internal', 'failing'],
  ] as [ErrorCode, string][])('makes %s the state %s', (code, state) => {
    expect(toSupplyFault(new TurnError(code, 'why', { layer: 'upstream' }))).toEqual({ state, reason: 'why' });
  });

  it('takes a refused session for a refusal and keeps the wait', () => {
    const error = new TurnError('upstream_failed', 'why', {
      layer: 'upstream',
      reason: 'upstream_unauthorized',
      retryAfterSeconds: 7,
    });
    expect(toSupplyFault(error)).toEqual({ state: 'refused', reason: 'why', retryAfterMs: 7_000 });
  });

  it('names what the system says', () => {
    const cause = Object.assign(new Error('secret'), { code: 'ENOTFOUND' });
    const error = new TurnError('upstream_unreachable', 'why', { layer: 'upstream', cause });
    expect(toSupplyFault(error).reason).toBe('why (ENOTFOUND)');
  });

  it('does not repeat the words of a foreign error', () => {
    expect(toSupplyFault(new Error('secret')).reason).not.toContain('secret');
  });
});

describe('worstFault', () => {
  it('is the one that asks for most restraint', () => {
    const blocked = { state: 'blocked', reason: '' } as const;
    const limited = { state: 'rate-limited', reason: '', retryAfterMs: 90_000 } as const;
    const limitedShortly = { state: 'rate-limited', reason: '', retryAfterMs: 5_000 } as const;
    expect(worstFault([limitedShortly, blocked, limited])).toBe(blocked);
    expect(worstFault([limitedShortly, limited])).toBe(limited);
    expect(worstFault([])).toBeUndefined();
  });
});
