import type { Figure, Measurement, Round } from './measurements.ts';
import type { Scene, Side } from './scene.ts';
import { median } from './statistics.ts';

/** One figure of one measurement on both sides: medians over the rounds, and the rounds themselves. */
export interface Comparison {
  readonly measurement: string;
  readonly figure: string;
  readonly compare: Figure['compare'];
  readonly product: number;
  readonly floor: number;
  /** Product by floor, or product less floor: the median over the pairs of rounds that ran one after the other. */
  readonly outcome: number;
  readonly lowest: number;
  readonly highest: number;
  readonly rounds: Readonly<Record<Side, readonly number[]>>;
}

/** Gives both sides the load in turns, one unmeasured round each before, so that what disturbs the machine disturbs both. */
export async function measure(scene: Scene, measurement: Measurement): Promise<Comparison[]> {
  const rounds: Record<Side, Round[]> = { product: [], floor: [] };
  await scene.round('product', measurement);
  await scene.round('floor', measurement);
  for (let count = 0; count < measurement.rounds; count += 1) {
    rounds.product.push(await scene.round('product', measurement));
    rounds.floor.push(await scene.round('floor', measurement));
  }
  return measurement.figures.map((figure) => compareFigure(measurement.title, figure, rounds));
}

function compareFigure(measurement: string, { name, compare, of }: Figure, rounds: Record<Side, Round[]>): Comparison {
  const [product, floor] = [rounds.product.map(of), rounds.floor.map(of)];
  const outcomes = product.map((value, index) => {
    const other = floor[index] ?? Number.NaN;
    return compare === 'ratio' ? value / other : value - other;
  });
  return {
    measurement,
    figure: name,
    compare,
    product: median(product),
    floor: median(floor),
    outcome: median(outcomes),
    lowest: Math.min(...outcomes),
    highest: Math.max(...outcomes),
    rounds: { product, floor },
  };
}
