import { describe, expect, it } from '@jest/globals';
import { BUDGET_WINDOW_MS, type MintBudget } from './mint-budget.ts';

const START_MS = 1_760_000_000_000;

/** What every budget does. `makeBudget` gives a new one each time; those of one `share` count together. */
export function describeMintBudget(name: string, makeBudget: (share: string) => MintBudget): void {
  describe(`${name} as a mint budget`, () => {
    let shares = 0;
    const make = (): MintBudget => makeBudget(`share-${++shares}`);
    const book = (budget: MintBudget, count: number, nowMs = START_MS): Promise<number> =>
      budget.book({ count, mostPerHour: 5, nowMs });

    it('remembers when mints were booked, for an hour', async () => {
      const budget = make();
      expect(await budget.recent(START_MS)).toEqual([]);
      expect(await book(budget, 2)).toBe(2);
      expect(await book(budget, 1, START_MS + 1_000)).toBe(1);
      expect(await budget.recent(START_MS + 1_000)).toEqual([START_MS, START_MS, START_MS + 1_000]);
      expect(await budget.recent(START_MS + BUDGET_WINDOW_MS)).toEqual([START_MS + 1_000]);
      expect(await budget.recent(START_MS + BUDGET_WINDOW_MS + 1_000)).toEqual([]);
    });

    it('grants no more than the cap of any hour', async () => {
      const budget = make();
      expect(await book(budget, 3)).toBe(3);
      expect(await book(budget, 3, START_MS + 60_000)).toBe(2);
      expect(await book(budget, 1, START_MS + BUDGET_WINDOW_MS - 1)).toBe(0);
      expect(await book(budget, 9, START_MS + BUDGET_WINDOW_MS)).toBe(3);
      expect(await book(budget, 9, START_MS + BUDGET_WINDOW_MS + 59_999)).toBe(0);
      expect(await book(budget, 9, START_MS + BUDGET_WINDOW_MS + 60_000)).toBe(2);
    });

    it('grants no more than the cap to bookings at the same time', async () => {
      const budget = make();
      const granted = await Promise.all(Array.from({ length: 10 }, () => book(budget, 2)));
      expect(granted.reduce((sum, count) => sum + count, 0)).toBe(5);
      expect(await budget.recent(START_MS)).toHaveLength(5);
    });

    it('forgets what a clock noted that was ahead', async () => {
      const budget = make();
      const nowMs = Date.now();
      expect(await book(budget, 5, nowMs + 8_760 * BUDGET_WINDOW_MS)).toBe(5);
      expect(await budget.recent(nowMs)).toEqual([]);
      expect(await book(budget, 2, nowMs + 30_000)).toBe(2);
      expect(await book(budget, 9, nowMs)).toBe(3);
    });

    it('grants nothing where nothing is wanted', async () => {
      const budget = make();
      expect(await book(budget, 0)).toBe(0);
      expect(await budget.recent(START_MS)).toEqual([]);
    });
  });
}
