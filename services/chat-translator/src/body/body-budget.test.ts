import { describe, expect, it } from '@jest/globals';
import { createBodyBudget } from './body-budget.ts';

const never = new AbortController().signal;
const refused = {
  code: 'no_capacity',
  details: { reason: 'too_many_large_requests', retryAfterSeconds: expect.any(Number) },
};

describe('the body budget', () => {
  it('refuses what has waited too long, and keeps nothing for it', async () => {
    const budget = createBodyBudget({ limit: 10, waitMs: 20 });
    const first = await budget.claim(8, never);
    await expect(budget.claim(3, never)).rejects.toMatchObject(refused);
    expect(budget.claimed()).toBe(8);
    first.release();
    expect(budget.claimed()).toBe(0);
  });

  it('refuses growth that has no room at once, so that nobody waits for somebody who waits', async () => {
    const budget = createBodyBudget({ limit: 10, waitMs: 60_000 });
    const [first, second] = [await budget.claim(4, never), await budget.claim(4, never)];
    first.grow(6);
    expect(() => second.grow(5)).toThrow(/Too many large requests/);
    expect(budget.claimed()).toBe(10);
    second.release();
    first.grow(10);
    expect(budget.claimed()).toBe(10);
  });

  it('lets waiters in in their order, as many as there is room for', async () => {
    const budget = createBodyBudget({ limit: 10, waitMs: 60_000 });
    const first = await budget.claim(10, never);
    const order: number[] = [];
    const claims = [6, 4, 1].map((bytes) => budget.claim(bytes, never).then((claim) => (order.push(bytes), claim)));
    first.release();
    const [six, four] = await Promise.all(claims.slice(0, 2));
    expect(order).toEqual([6, 4]);
    six!.release();
    (await claims[2])!.release();
    four!.release();
    four!.release();
    expect(budget.claimed()).toBe(0);
  });

  it('lets those behind go on when the first of the waiters leaves', async () => {
    const budget = createBodyBudget({ limit: 10, waitMs: 60_000 });
    await budget.claim(5, never);
    const leaver = new AbortController();
    const large = budget.claim(9, leaver.signal);
    const small = budget.claim(2, never);
    leaver.abort();
    await expect(large).rejects.toHaveProperty('name', 'AbortError');
    await small;
    expect(budget.claimed()).toBe(7);
    await expect(budget.claim(1, AbortSignal.abort())).rejects.toHaveProperty('name', 'AbortError');
  });

  it('gives all of itself to what is larger than it', async () => {
    const budget = createBodyBudget({ limit: 10, waitMs: 60_000 });
    const large = await budget.claim(25, never);
    large.grow(30);
    expect(budget.claimed()).toBe(10);
    large.release();
    large.grow(40);
    expect(budget.claimed()).toBe(0);
  });
});
