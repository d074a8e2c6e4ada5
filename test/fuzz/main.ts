import { globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createToolBridge, createZaiPlatformDecoder, createZaiWebDecoder } from '@zai2api/dialects';
import { createEventChecker, type TurnEvent } from '@zai2api/turn';
import { clientDialects, createGoldenContext } from '../golden/client-dialects.ts';
import { createRandom, mutate } from './mutate.ts';

/**
 * `npm run fuzz -- --minutes 10 [--seed 1]`: mutated recordings through the decoder and the client encoder. Stops with the seed of the
 * first case that throws, breaks the order of events, has no end, or takes longer than a second.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const endAtMs = Date.now() + Number(values.minutes) * 60_000;
const MAX_CASE_MS = 1_000;

const root = new URL('../../libs/dialects/fixtures/turns/', import.meta.url);
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, root)));
const recordings = {
  web: globSync('*/zai-web.sse', { cwd: root }).map(read),
  platform: globSync('*/zai-platform.sse', { cwd: root }).map(read),
};

function run(seed: number): TurnEvent['type'] {
  const random = createRandom(seed);
  const upstream = random(3) === 0 ? 'platform' : 'web';
  const bytes = mutate(recordings[upstream], random);
  const names = random(2) === 0 ? [] : ['get_weather', 'Read', 'search'];
  const bridge = createToolBridge({
    tools: names.map((name) => ({ name, parameters: {}, strict: false })),
    toolChoice: { mode: (['auto', 'none', 'required'] as const)[random(3)] ?? 'auto' },
    parallelToolCalls: random(2) === 0,
    newId: () => 'fuzz',
  });
  const common = {
    model: 'glm-4.6',
    warnings: [],
    context: { now: () => 0, newId: () => 'fuzz', countTokens: (text: string) => text.length },
  };
  const decoder =
    upstream === 'web'
      ? createZaiWebDecoder({ ...common, prompt: 'x', chatCreated: random(2) === 0, tools: names })
      : createZaiPlatformDecoder({ ...common, prompt: () => 'x', takesCalls: names.length > 0 });
  const checker = createEventChecker();
  const encoders = clientDialects.map(({ dialect, ask }) =>
    dialect.decodeRequest(ask, createGoldenContext()).createStreamEncoder({ countInput: () => 1 }),
  );
  let last: TurnEvent['type'] = 'turn-start';
  const take = (events: readonly TurnEvent[]): void => {
    for (const event of events.flatMap(bridge)) {
      checker.push(event);
      for (const encoder of encoders) encoder.push(event);
      last = event.type;
    }
  };
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + random(200);
    take(decoder.push(bytes.subarray(at, next)));
    at = next;
  }
  take(decoder.end());
  checker.end();
  return last;
}

let seed = Number(values.seed);
const ends = new Map<string, number>();
let slowestMs = 0;
const heapAtStart = process.memoryUsage().heapUsed;
while (Date.now() < endAtMs) {
  const startedAtMs = performance.now();
  try {
    const end = run(seed);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  } catch (error) {
    console.error(`seed ${seed}:`, error);
    process.exit(1);
  }
  const tookMs = performance.now() - startedAtMs;
  slowestMs = Math.max(slowestMs, tookMs);
  if (tookMs > MAX_CASE_MS) {
    console.error(`seed ${seed} took ${Math.round(tookMs)} ms`);
    process.exit(1);
  }
  seed += 1;
}
globalThis.gc?.();
const grownMiB = Math.round((process.memoryUsage().heapUsed - heapAtStart) / 2 ** 20);
console.log(
  `${seed - Number(values.seed)} cases from ${recordings.web.length + recordings.platform.length} recordings, slowest ${slowestMs.toFixed(1)} ms, heap ${grownMiB} MiB more`,
);
console.log(Object.fromEntries(ends));
