import type { Comparison } from './compare.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { MemoryFigures } from './memory-watch.ts';
import { formatNumber, printTable } from './print-table.ts';
import type { Side } from './scene.ts';

/** Everything that one run found; what is written as raw JSON. */
export interface BenchReport {
  readonly machine: MachineFacts;
  readonly quick: boolean;
  readonly seconds: number;
  readonly comparisons: readonly Comparison[];
  readonly memory: Readonly<Record<Side, MemoryFigures>>;
}

const counted = `
Product: the built standalone with an API key, a guest pool and info logs to a file. Floor: a bare Node process that pipes the same
upstream answers, signed before, without a look at them. Simulator, load client and both sides share this machine's CPUs, and both sides
are measured in turns; figures are medians over the rounds, the spread is (highest - lowest) / median. A token is one delta of the
upstream, counted in what the client got; the sides send different bytes for it (the floor the upstream's frame, the product an OpenAI
chunk). Every answer is complete and holds all its tokens, or the run fails. Per answer the product makes three upstream calls (create
the chat, complete, delete the chat), the floor one. First byte: from the client's call to the first byte of the answer's body.
Ratios are product / floor, differences product - floor.`;

/** Prints the run as one table, with what is counted. */
export function printReport({ machine, comparisons, memory, seconds }: BenchReport): void {
  console.log(
    `\n${machine.cpu}, ${machine.cpus} CPUs, ${machine.system}, Node ${machine.node}, commit ${machine.commit}, ` +
      `load before ${machine.loadBefore.toFixed(2)}, ${seconds.toFixed(0)} s`,
  );
  console.log(`${counted}\n`);
  const rows: string[][] = [];
  let title = '';
  for (const { measurement, figure, product, floor, compare, outcome, spread } of comparisons) {
    if (measurement !== title) rows.push([measurement]);
    title = measurement;
    const sign = compare === 'difference' && outcome >= 0 ? '+' : '';
    const factor = compare === 'ratio' ? 'x' : '';
    const outcomeText = `${sign}${formatNumber(outcome)}${factor}`;
    rows.push([`  ${figure}`, formatNumber(product), formatNumber(floor), outcomeText, formatSpread(spread)]);
  }
  rows.push(['memory, MiB']);
  for (const when of ['idle', 'highest', 'after'] as const) {
    const [product, floor] = [memory.product[when] / 2 ** 20, memory.floor[when] / 2 ** 20];
    rows.push([`  ${when}`, formatNumber(product), formatNumber(floor), `${formatNumber(product / floor)}x`]);
  }
  printTable(['', 'product', 'floor', 'ratio or difference', 'spread'], rows);
}

const formatSpread = (spread: number): string => (Number.isFinite(spread) ? `${(spread * 100).toFixed(0)}%` : '-');
