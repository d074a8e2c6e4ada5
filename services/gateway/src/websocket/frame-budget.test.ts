import { expect, it } from '@jest/globals';
import { createFrameBudget } from './frame-budget.ts';

it('has room for so much, for one of any size, and once given back again', () => {
  const budget = createFrameBudget(100);
  const first = budget.claim(60);
  expect(() => budget.claim(41)).toThrow(expect.objectContaining({ code: 'no_capacity' }));
  const second = budget.claim(40);
  first();
  first();
  expect(() => budget.claim(61)).toThrow();
  second();
  budget.claim(1_000);
  expect(() => budget.claim(1)).toThrow();
});
