import { describe, expect, it } from '@jest/globals';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import { Registry } from 'prom-client';
import { createTranslatorMetrics } from '../metrics.ts';
import { measureRun } from './measure-run.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const delta: TurnEvent = { type: 'text-delta', block: 0, text: 'x' };
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const busy = new TurnError('upstream_busy', 'Too much.', { layer: 'upstream' });

describe('a measured run', () => {
  /** What was measured of a run whose batches come a second apart each; `most`: so many are taken. */
  async function measured(batches: (TurnEvent[] | Error)[], { most = Infinity, aborted = false } = {}) {
    const registry = new Registry();
    let nowMs = 0;
    async function* play(): AsyncGenerator<TurnEvent[], void, undefined> {
      for (const batch of batches) {
        nowMs += 1_000;
        if (batch instanceof Error) throw batch;
        yield batch;
      }
    }
    const signal = aborted ? AbortSignal.abort(new DOMException('', 'AbortError')) : new AbortController().signal;
    const run = measureRun(play(), { model: 'M', signal }, createTranslatorMetrics(registry), () => nowMs);
    try {
      for (let taken = 0; taken < most; taken++) if ((await run.next()).done === true) break;
    } catch {
      // Is measured.
    }
    await run.return?.();
    const lines = (await registry.metrics()).split('\n');
    return lines
      .filter((line) => /^gen_ai_client_operation_\w+_(sum|count)/.test(line) && !line.endsWith(' 0'))
      .map((line) =>
        line.replaceAll(/gen_ai_(operation|provider)_name="\w+",/g, '').replace('gen_ai_client_operation_', ''),
      );
  }
  const model = 'gen_ai_request_model="M"';

  it('knows its first chunk, the time between chunks, and its end', async () => {
    expect(await measured([[start], [delta], [delta, delta], [delta, end]])).toEqual([
      `duration_seconds_sum{${model}} 4`,
      `duration_seconds_count{${model}} 1`,
      `time_to_first_chunk_seconds_sum{${model}} 2`,
      `time_to_first_chunk_seconds_count{${model}} 1`,
      `time_per_output_chunk_seconds_sum{${model}} 2`,
      `time_per_output_chunk_seconds_count{${model}} 2`,
    ]);
  });

  it.each<[string, (TurnEvent[] | Error)[], object, string]>([
    ['that fails at once', [busy], {}, 'upstream_busy'],
    ['that ends in an error', [[start], [{ type: 'turn-error', error: busy }]], {}, 'upstream_busy'],
    ['that is left by its client', [[start], [start]], { most: 1, aborted: true }, 'cancelled'],
  ])('%s says why', async (_what, batches, how, code) => {
    expect(await measured(batches, how)).toContain(`duration_seconds_count{${model},error_type="${code}"} 1`);
  });

  it('that has reached a limit of ours is no failure', async () => {
    expect(await measured([[start], [start]], { most: 1 })).toEqual([
      `duration_seconds_sum{${model}} 1`,
      `duration_seconds_count{${model}} 1`,
    ]);
  });
});
