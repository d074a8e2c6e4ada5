import { describe, expect, it } from '@jest/globals';
import { builtInModels } from '@zai2api/dialects';
import { TurnError, type TurnEvent, type TurnRequest } from '@zai2api/turn';
import { Registry } from 'prom-client';
import { createTranslatorMetrics } from '../metrics.ts';
import { createTurnMeter, type TurnMeter, type TurnOrigin } from './turn-meter.ts';

const plain: TurnRequest = {
  model: 'asked',
  messages: [],
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { stop: [] },
};
const tool = { name: 'f', parameters: {}, strict: false };
const usage = {
  inputTokens: 10,
  outputTokens: 5,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const text: TurnEvent = { type: 'text-delta', block: 0, text: 'x' };
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const upstreamError = (reason?: string): TurnError =>
  new TurnError('upstream_failed', 'x', { layer: 'upstream', ...(reason !== undefined && { reason }) });

interface Case {
  readonly request?: Partial<TurnRequest>;
  readonly warnings?: readonly string[];
  readonly origin?: TurnOrigin;
}

/** Runs one turn on a clock of its own and returns all samples that are not zero and no buckets. */
async function measure(
  act: (meter: TurnMeter, pass: (ms: number) => void) => void,
  { request = {}, warnings = [], origin = { dialect: 'openai-chat', stream: true } }: Case = {},
): Promise<Record<string, number>> {
  const registry = new Registry();
  let nowMs = 1_000;
  const turn = {
    request: { ...plain, ...request },
    model: builtInModels[0]!,
    warnings: warnings.map((field) => ({ code: 'ignored-parameter', field }) as const),
  };
  const meter = createTurnMeter(createTranslatorMetrics(registry), turn, origin, () => nowMs);
  act(meter, (ms) => (nowMs += ms));
  const samples = (await registry.metrics())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket') && !line.endsWith(' 0'))
    .map((line) => line.replaceAll(/(gen_ai_(operation|provider)_name)="\w+",?/g, '').replace('{}', ''))
    .map((line) => line.replaceAll(`="${builtInModels[0]!.id}"`, '="M"'));
  return Object.fromEntries(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('the meter of a turn', () => {
  it('measures a complete stream once', async () => {
    const samples = await measure((meter, pass) => {
      pass(500);
      meter.begin([]);
      meter.push([text]);
      pass(1_000);
      meter.push([text]);
      pass(1_000);
      meter.push([end]);
      pass(10);
      meter.close();
      meter.close(upstreamError());
    });
    expect(samples).toEqual({
      'zai_translator_turns_total{dialect="openai-chat",model="M",stream="true",outcome="complete"}': 1,
      'zai_translator_stream_end_total{reason="complete"}': 1,
      zai_translator_inter_chunk_seconds_sum: 2,
      zai_translator_inter_chunk_seconds_count: 2,
      'gen_ai_server_request_duration_seconds_sum{gen_ai_request_model="M"}': 2.51,
      'gen_ai_server_request_duration_seconds_count{gen_ai_request_model="M"}': 1,
      'gen_ai_server_time_to_first_token_seconds_sum{gen_ai_request_model="M"}': 0.5,
      'gen_ai_server_time_to_first_token_seconds_count{gen_ai_request_model="M"}': 1,
      'gen_ai_server_time_per_output_token_seconds_sum{gen_ai_request_model="M"}': 0.5,
      'gen_ai_server_time_per_output_token_seconds_count{gen_ai_request_model="M"}': 1,
      'gen_ai_client_token_usage_sum{gen_ai_request_model="M",gen_ai_token_type="input"}': 10,
      'gen_ai_client_token_usage_count{gen_ai_request_model="M",gen_ai_token_type="input"}': 1,
      'gen_ai_client_token_usage_sum{gen_ai_request_model="M",gen_ai_token_type="output"}': 5,
      'gen_ai_client_token_usage_count{gen_ai_request_model="M",gen_ai_token_type="output"}': 1,
    });
  });

  it.each<[string, TurnError]>([
    ['client_abort', new TurnError('cancelled', 'x', { layer: 'client' })],
    ['timeout', new TurnError('upstream_timeout', 'x', { layer: 'upstream' })],
    ['upstream_error', upstreamError()],
    ['shutdown', new TurnError('shutting_down', 'x', { layer: 'pool' })],
    ['error', new TurnError('no_capacity', 'x', { layer: 'pool' })],
  ])('tells who ended a stream: %s', async (reason, error) => {
    const samples = await measure((meter) => meter.close(error));
    expect(samples).toMatchObject({
      [`zai_translator_stream_end_total{reason="${reason}"}`]: 1,
      [`zai_translator_turns_total{dialect="openai-chat",model="M",stream="true",outcome="${error.code}"}`]: 1,
      [`gen_ai_server_request_duration_seconds_count{gen_ai_request_model="M",error_type="${error.code}"}`]: 1,
    });
    const counted = samples[`zai_translator_errors_total{code="${error.code}",layer="${error.details.layer}"}`];
    expect(counted).toBe(reason === 'client_abort' ? undefined : 1);
  });

  it('knows whole answers as such', async () => {
    const samples = await measure((meter) => meter.close(), { origin: { dialect: 'd', stream: false } });
    expect(samples).toHaveProperty(
      ['zai_translator_turns_total{dialect="d",model="M",stream="false",outcome="complete"}'],
      1,
    );
    expect(Object.keys(samples).join()).not.toContain('stream_end');
  });

  it.each<[string, string, Partial<TurnRequest>, TurnEvent[], TurnError | undefined]>([
    [
      'tool_parse',
      'called',
      { tools: [tool] },
      [{ type: 'tool-call-start', block: 0, callId: 'c', name: 'f' }],
      undefined,
    ],
    ['tool_parse', 'not-called', { tools: [tool] }, [text], undefined],
    ['tool_parse', 'invalid', { tools: [tool] }, [], upstreamError('invalid_tool_call')],
    ['structured_output', 'valid', { responseFormat: { type: 'json-object' } }, [text], undefined],
    [
      'structured_output',
      'refused',
      { responseFormat: { type: 'json-object' } },
      [{ type: 'refusal', text: 'x' }],
      undefined,
    ],
    [
      'structured_output',
      'invalid',
      { responseFormat: { type: 'json-object' } },
      [],
      upstreamError('invalid_structured_output'),
    ],
  ])('counts %s: %s', async (metric, outcome, request, events, error) => {
    const samples = await measure(
      (meter) => {
        meter.push(events);
        meter.close(error);
      },
      { request },
    );
    expect(samples).toHaveProperty([`zai_translator_${metric}_total{outcome="${outcome}"}`], 1);
  });

  it('counts ignored parameters by known names alone', async () => {
    const warnings = ['logit_bias', 'messages[].name', 'messages[].content[].x', 'made_up_by_a_client', ''];
    const samples = await measure((meter) => meter.close(), { warnings });
    expect(samples).toMatchObject({
      'zai_translator_ignored_params_total{param="logit_bias"}': 1,
      'zai_translator_ignored_params_total{param="messages"}': 2,
      'zai_translator_ignored_params_total{param="other"}': 2,
    });
  });
});
