import { describe, expect, it } from '@jest/globals';
import type { Recovery } from '@zai2api/turn';
import fc from 'fast-check';
import { createRetryPlan, type RetryPlan } from './retry-plan.ts';

function makePlan({ budgetMs = 30_000, random = 0 } = {}): { plan: RetryPlan; pass: (ms: number) => void } {
  let nowMs = 1_000;
  return {
    plan: createRetryPlan({ budgetMs, now: () => nowMs, random: () => random }),
    pass(ms) {
      nowMs += ms;
    },
  };
}

const ask = (plan: RetryPlan, recovery: Recovery, times: number): (number | undefined)[] =>
  Array.from({ length: times }, () => plan.next(recovery));

describe('createRetryPlan', () => {
  it('repeats a passing fault once, after a moment', () => {
    expect(ask(makePlan().plan, 'repeat', 3)).toEqual([250, undefined, undefined]);
  });

  it('refreshes the session once, at once', () => {
    expect(ask(makePlan().plan, 'refresh-session', 2)).toEqual([0, undefined]);
  });

  it('tries other identities up to six tries in all: the first at once, the others more and more slowly', () => {
    expect(ask(makePlan().plan, 'other-credential', 6)).toEqual([0, 100, 200, 400, 800, undefined]);
  });

  it('adds up to as much again at random', () => {
    expect(ask(makePlan({ random: 0.5 }).plan, 'repeat', 1)).toEqual([375]);
  });

  it('begins no try when the time is over, or would be over after the wait', () => {
    const { plan, pass } = makePlan({ budgetMs: 1_000 });
    pass(700);
    expect(plan.leftMs()).toBe(300);
    expect(plan.next('repeat')).toBe(250);
    pass(250);
    expect(plan.next('refresh-session')).toBe(0);
    pass(50);
    expect(plan.leftMs()).toBe(0);
    expect(plan.next('other-credential')).toBeUndefined();
  });

  it('never tries again without a budget', () => {
    expect(makePlan({ budgetMs: 0 }).plan.next('other-credential')).toBeUndefined();
  });

  it('never allows more than six tries, in whatever order faults come', () => {
    const recovery = fc.constantFrom<Recovery>('other-credential', 'refresh-session', 'repeat');
    fc.assert(
      fc.property(fc.array(recovery, { maxLength: 30 }), (faults) => {
        const { plan } = makePlan();
        const allowed = faults.filter((each) => plan.next(each) !== undefined);
        expect(allowed.length).toBeLessThanOrEqual(5);
        expect(allowed.filter((each) => each === 'repeat').length).toBeLessThanOrEqual(1);
        expect(allowed.filter((each) => each === 'refresh-session').length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
