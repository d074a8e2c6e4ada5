import { invalidValue } from './request-fault.ts';

/**
 * The most tools that a model is told of in one request, those of namespaces included and those that are still hidden left out. Official
 * clients with many servers of tools behind them come near a few hundred; each costs a compilation, and words in every prompt.
 */
const MAX_TOOLS = 512;

/** Throws, with `tools` as its path, when there are more. */
export function assertToolCount(count: number): void {
  if (count > MAX_TOOLS) throw invalidValue('tools', `the model can be told of at most ${MAX_TOOLS} tools.`);
}
