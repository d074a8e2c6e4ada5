import { BUDGET_WINDOW_MS, MAX_CLOCK_SKEW_MS, type MintBudget } from './mint-budget.ts';

/** The budget of a single process. */
export function createMemoryMintBudget(): MintBudget {
  let mintsMs: number[] = [];
  const prune = (nowMs: number): void => {
    mintsMs = mintsMs.filter((atMs) => atMs > nowMs - BUDGET_WINDOW_MS && atMs <= nowMs + MAX_CLOCK_SKEW_MS);
  };
  return {
    recent(nowMs) {
      prune(nowMs);
      return Promise.resolve([...mintsMs]);
    },
    book({ count, mostPerHour, nowMs }) {
      prune(nowMs);
      const granted = Math.max(0, Math.min(count, mostPerHour - mintsMs.length));
      mintsMs.push(...Array<number>(granted).fill(nowMs));
      return Promise.resolve(granted);
    },
  };
}
