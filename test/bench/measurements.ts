import type { LoadJob, LoadResult } from './load-job.ts';
import { percentile } from './statistics.ts';

/** One load on one side, with what it cost there. */
export interface Round extends LoadResult {
  /** CPU time of the measured process during the load, all threads. */
  readonly cpuMs: number;
}

/** One line of the table: what is read from each round, and how the sides are compared. */
export interface Figure {
  readonly name: string;
  readonly compare: 'ratio' | 'difference';
  readonly of: (round: Round) => number;
}

/** A load that both sides get in turns, and what is read from it. */
export interface Measurement {
  readonly title: string;
  /** A call of the simulator's `bench` scenario. */
  readonly scenario: string;
  /** False: the product gives whole answers; the floor can only pipe the stream. */
  readonly stream: boolean;
  readonly load: Pick<LoadJob, 'clients' | 'requestsPerClient' | 'durationMs'>;
  readonly rounds: number;
  readonly figures: readonly Figure[];
}

/** A frame every so often, and how much later than that one may be before it counts as a stall. */
const PACE_MS = 50;
const STALL_FACTOR = 10;

const tokensPerSecond: Figure = {
  name: 'tokens/s',
  compare: 'ratio',
  of: ({ tokens, elapsedMs }) => (tokens / elapsedMs) * 1000,
};
const cpuPerToken: Figure = {
  name: 'CPU µs per token',
  compare: 'ratio',
  of: ({ cpuMs, tokens }) => (cpuMs / tokens) * 1000,
};
const requestsPerSecond: Figure = {
  name: 'answers/s',
  compare: 'ratio',
  of: ({ answers, elapsedMs }) => (answers / elapsedMs) * 1000,
};
const cpuPerRequest: Figure = {
  name: 'CPU µs per answer',
  compare: 'ratio',
  of: ({ cpuMs, answers }) => (cpuMs / answers) * 1000,
};
const firstByte = (share: number): Figure => ({
  name: `first byte p${share * 100}, ms`,
  compare: 'difference',
  of: ({ firstByteMs }) => percentile(firstByteMs, share),
});
const paced: readonly Figure[] = [
  { name: 'tokens delivered', compare: 'ratio', of: ({ tokens }) => tokens },
  { name: 'gap between chunks p99, ms', compare: 'difference', of: ({ gapsMs }) => percentile(gapsMs, 0.99) },
  { name: 'longest gap, ms', compare: 'difference', of: ({ gapsMs }) => Math.max(0, ...gapsMs) },
  {
    name: `stalls (gaps over ${PACE_MS * STALL_FACTOR} ms)`,
    compare: 'difference',
    of: ({ gapsMs }) => gapsMs.filter((gap) => gap > PACE_MS * STALL_FACTOR).length,
  },
  cpuPerToken,
];

/** Everything that is measured; `quick` is a look, with fewer and shorter rounds. */
export function planMeasurements(quick: boolean): Measurement[] {
  const rounds = quick ? 2 : 5;
  const durationMs = quick ? 300 : 1_200;
  const streams = (clients: number, tokens: number, batch: number): Measurement => ({
    title: `streams: ${clients} at once, upstream writes ${batch === 1 ? 'each token alone' : `${batch} tokens at a time`}`,
    scenario: `bench tokens=${(quick ? tokens / 2 : tokens) / clients} batch=${batch}`,
    stream: true,
    load: { clients, requestsPerClient: 1 },
    // Short and many: what else the machine does comes in bursts.
    rounds: quick ? 2 : 11,
    figures: [tokensPerSecond, cpuPerToken],
  });
  const small = (clients: number, stream: boolean): Measurement => ({
    title: `small answers (16 tokens), ${stream ? 'streamed' : 'whole'}: ${clients} clients`,
    scenario: 'bench tokens=16 batch=16',
    stream,
    load: { clients, durationMs },
    rounds,
    figures: [requestsPerSecond, cpuPerRequest],
  });
  const waits = (clients: number, delayMs: number): Measurement => ({
    title: `first byte: ${clients === 1 ? '1 client' : `${clients} clients`}, answers of ${delayMs} ms`,
    scenario: `bench tokens=1 batch=1 delay=${delayMs}`,
    stream: true,
    load: { clients, durationMs },
    rounds,
    figures: [firstByte(0.5), firstByte(0.99), requestsPerSecond],
  });
  const frames = quick ? 20 : 80;
  return [
    streams(1, 400_000, 32),
    streams(16, 640_000, 32),
    streams(16, 64_000, 1),
    small(16, true),
    small(64, true),
    small(16, false),
    waits(1, 5),
    waits(16, 20),
    {
      title: `paced: 200 streams, a token each ${PACE_MS} ms, ${frames} tokens each`,
      scenario: `bench tokens=${frames} batch=1 delay=${PACE_MS}`,
      stream: true,
      load: { clients: 200, requestsPerClient: 1 },
      rounds: quick ? 1 : 2,
      figures: paced,
    },
  ];
}
