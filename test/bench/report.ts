import type { Comparison } from './compare.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { MemoryFigures } from './memory-watch.ts';
import { formatNumber, printTable } from './print-table.ts';
import type { Driver } from './scene.ts';

/** Everything that one run found; what is written as raw JSON. */
export interface BenchReport {
  readonly machine: MachineFacts;
  readonly driver: Driver;
  readonly quick: boolean;
  readonly seconds: number;
  readonly comparisons: readonly Comparison[];
  /** Of the product. */
  readonly memory: MemoryFigures;
}

const counted = `
Product: the built standalone with an API key, a guest pool and info logs to a file. Floor: a bare Node process that pipes the same
upstream answers, signed before, without a look at them. Simulator, load client and both sides share this machine's CPUs, and both sides
get each load in turns; figures are medians over the rounds, outcomes (product / floor, or product - floor) are medians over the pairs of
neighbouring rounds, with the lowest and the highest pair. A token is one delta of the upstream, counted in what the client got; the sides
send different bytes for it (the floor the upstream's frame, the product OpenAI chunks). Every answer is complete and holds all its tokens,
or the run fails. CPU: user and system time of the measured process. Per answer the product makes three upstream calls (create the chat,
complete, delete the chat), the floor one. First byte: from the client's call to the first byte of the answer's body. Memory: resident,
of the product, before the first request, the highest seen over all loads, and 3 s after the last one.`;

/** Prints the run as one table, with what is counted. */
export function printReport({ machine, comparisons, memory, seconds }: BenchReport): void {
  console.log(
    `\n${machine.cpu}, ${machine.cpus} CPUs, ${machine.system}, Node ${machine.node}, commit ${machine.commit}, ` +
      `load before ${machine.loadBefore.toFixed(2)}, ${seconds.toFixed(0)} s`,
  );
  console.log(`${counted}\n`);
  const rows: string[][] = [];
  let title = '';
  for (const { measurement, figure, product, floor, compare, outcome, lowest, highest } of comparisons) {
    if (measurement !== title) rows.push([measurement]);
    title = measurement;
    const show = (value: number): string =>
      compare === 'ratio' ? `${value.toFixed(2)}x` : `${value < 0 ? '' : '+'}${formatNumber(value)}`;
    rows.push([
      `  ${figure}`,
      formatNumber(product),
      formatNumber(floor),
      show(outcome),
      `${show(lowest)} to ${show(highest)}`,
    ]);
  }
  rows.push(['memory of the product, MiB']);
  for (const when of ['idle', 'highest', 'after'] as const) {
    rows.push([`  ${when}`, formatNumber(memory[when] / 2 ** 20)]);
  }
  printTable(['', 'product', 'floor', 'outcome', 'over the rounds'], rows);
}
