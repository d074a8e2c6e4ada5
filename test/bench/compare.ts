import type { Figure, Measurement, Round } from './measurements.ts';
import type { Scene, Side } from './scene.ts';
import { median, spread } from './statistics.ts';

/** One figure of one measurement on both sides: medians over the rounds, and the rounds themselves. */
export interface Comparison {
  readonly measurement: string;
  readonly figure: string;
  readonly compare: Figure['compare'];
  readonly product: number;
  readonly floor: number;
  /** Product by floor, or product less floor. */
  readonly outcome: number;
  /** The wider of both sides' spreads over their rounds. */
  readonly spread: number;
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
  const values = { product: rounds.product.map(of), floor: rounds.floor.map(of) };
  const [product, floor] = [median(values.product), median(values.floor)];
  return {
    measurement,
    figure: name,
    compare,
    product,
    floor,
    outcome: compare === 'ratio' ? product / floor : product - floor,
    spread: Math.max(spread(values.product), spread(values.floor)),
    rounds: values,
  };
}
