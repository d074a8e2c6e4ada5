/** The results of `work` in the order of the items, at most `concurrency` at a time. The first failure ends it: nothing more is begun. */
export async function mapWithConcurrency<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const remaining = items.entries();
  let failed = false;
  async function worker(): Promise<void> {
    for (const [index, item] of remaining) {
      if (failed) return;
      try {
        results[index] = await work(item, index);
      } catch (reason) {
        failed = true;
        throw reason;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
