import { describe, expect, it } from '@jest/globals';
import { errorCodes, TurnError } from '@zai2api/turn';
import { leaseOutcomeOf } from './lease-outcome.ts';

describe('leaseOutcomeOf', () => {
  it.each([
    ['upstream_challenged', undefined, { result: 'challenged', coolDownMs: 600_000 }],
    ['upstream_failed', 'upstream_unauthorized', { result: 'dead' }],
    ['upstream_busy', 'upstream_concurrency', { result: 'busy', coolDownMs: 5_000 }],
    ['upstream_busy', 'model_busy', { result: 'good' }],
    ['upstream_busy', 'upstream_rate_limited', { result: 'good' }],
    ['upstream_failed', 'empty_answer', { result: 'good' }],
  ] as const)('says of %s (%s)', (code, reason, outcome) => {
    const error = new TurnError(code, 'x', { layer: 'upstream', ...(reason !== undefined && { reason }) });
    expect(leaseOutcomeOf(error)).toEqual(outcome);
  });

  it('holds nothing against the credential otherwise', () => {
    expect(leaseOutcomeOf(undefined)).toEqual({ result: 'good' });
    for (const code of errorCodes.filter((each) => each !== 'upstream_challenged')) {
      expect(leaseOutcomeOf(new TurnError(code, 'x', { layer: 'upstream' }))).toEqual({ result: 'good' });
    }
  });
});
