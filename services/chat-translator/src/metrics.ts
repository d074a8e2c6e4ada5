import type { CredentialStore } from '@zai2api/credentials';
import type { Registry } from '@zai2api/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';

/** The labels that the GenAI conventions want on each of their metrics, as Prometheus spells them (contract 6.2). */
type GenAiLabel = 'gen_ai_operation_name' | 'gen_ai_provider_name' | 'gen_ai_request_model';

/** The translator's own metrics; label values are closed lists. */
export interface TranslatorMetrics {
  /** `outcome`: `complete`, or the error code that the turn ended in. */
  readonly turns: Counter<'dialect' | 'model' | 'stream' | 'outcome'>;
  readonly runningTurns: Gauge<'stream'>;
  readonly streamEnds: Counter<'reason'>;
  readonly errors: Counter<'code' | 'layer'>;
  readonly interChunk: Histogram;
  /** `type`: `reasoning` is a part of `output`, `cached` of `input`. */
  readonly tokens: Counter<'type' | 'exactness'>;
  readonly toolCalls: Counter<'outcome'>;
  readonly structuredOutputs: Counter<'outcome'>;
  readonly ignoredParameters: Counter<'param'>;
  readonly upstreamRequests: Counter<'driver' | 'outcome'>;
  readonly retries: Counter<'driver' | 'recovery'>;
  /** Turns that went on to another upstream or model before their first content; `outcome`: why. */
  readonly fallbacks: Counter<'from' | 'to' | 'outcome'>;
  /** Responses that were to be kept. `outcome`: `kept`, or why not: `unavailable`, `too-large`, `taken` by somebody else, or `lost` by the store. */
  readonly keptResponses: Counter<'outcome'>;
  /** Responses that go on without their clients if need be. */
  readonly keptRuns: Gauge<'background'>;
  /** Clients that read along with a kept response. */
  readonly followers: Gauge;
  /** Answers that may be kept and shared, by where they came from. `outcome`: `hit`, `shared` or `miss`. */
  readonly answerCache: Counter<'outcome'>;
  /** Questions of our own, by how they went; in none of the other counters. `outcome`: `good`, `skipped`, or an error code. */
  readonly canaryTurns: Counter<'driver' | 'outcome'>;
  readonly requestDuration: Histogram<GenAiLabel | 'error_type'>;
  /** From the decoded request to the first content, in seconds. */
  readonly timeToFirstToken: Histogram<GenAiLabel>;
  readonly timePerOutputToken: Histogram<GenAiLabel>;
  readonly tokenUsage: Histogram<GenAiLabel | 'gen_ai_token_type'>;
  /** One try at an upstream, in seconds. */
  readonly operationDuration: Histogram<GenAiLabel | 'error_type'>;
  /** From the beginning of a try to its first content, in seconds. */
  readonly timeToFirstChunk: Histogram<GenAiLabel>;
  /** Between pieces of content of a try, in seconds. */
  readonly timePerOutputChunk: Histogram<GenAiLabel>;
}

const genAiLabels = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;

/** As the conventions advise, and longer: thinking models are slow to begin and long at it (contract 6.1). */
const durationBuckets = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 120, 300, 600,
];
const firstTokenBuckets = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
const perTokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const chunkBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const tokenBuckets = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];

/** Registers them; once per registry. */
export function createTranslatorMetrics(registry: Registry): TranslatorMetrics {
  const registers = [registry];
  return {
    turns: new Counter({
      name: 'zai_translator_turns_total',
      help: 'Turns by how they ended.',
      labelNames: ['dialect', 'model', 'stream', 'outcome'],
      registers,
    }),
    runningTurns: new Gauge({
      name: 'zai_translator_running_turns',
      help: 'Turns that run now.',
      labelNames: ['stream'],
      registers,
    }),
    streamEnds: new Counter({
      name: 'zai_translator_stream_end_total',
      help: 'Streamed turns by who ended them.',
      labelNames: ['reason'],
      registers,
    }),
    errors: new Counter({
      name: 'zai_translator_errors_total',
      help: 'Errors that clients were told of, by code and by the layer in which they began.',
      labelNames: ['code', 'layer'],
      registers,
    }),
    interChunk: new Histogram({
      name: 'zai_translator_inter_chunk_seconds',
      help: 'Seconds between two chunks of an answer, from the first content on.',
      buckets: chunkBuckets,
      registers,
    }),
    tokens: new Counter({
      name: 'zai_translator_tokens_total',
      help: 'Tokens of turns; estimated where the upstream did not count, as when a turn broke off. Reasoning is part of output, cached of input.',
      labelNames: ['type', 'exactness'],
      registers,
    }),
    toolCalls: new Counter({
      name: 'zai_translator_tool_parse_total',
      help: 'Turns with tools, by what was read from their answers.',
      labelNames: ['outcome'],
      registers,
    }),
    structuredOutputs: new Counter({
      name: 'zai_translator_structured_output_total',
      help: 'Turns that asked for JSON, by what they got.',
      labelNames: ['outcome'],
      registers,
    }),
    ignoredParameters: new Counter({
      name: 'zai_translator_ignored_params_total',
      help: 'Request parameters without effect.',
      labelNames: ['param'],
      registers,
    }),
    upstreamRequests: new Counter({
      name: 'zai_translator_upstream_requests_total',
      help: 'Tries at the upstream by how they went up to the first content.',
      labelNames: ['driver', 'outcome'],
      registers,
    }),
    retries: new Counter({
      name: 'zai_translator_retries_total',
      help: 'Tries after the first one.',
      labelNames: ['driver', 'recovery'],
      registers,
    }),
    fallbacks: new Counter({
      name: 'zai_translator_fallbacks_total',
      help: 'Turns that went on to another upstream or model before their first content, by the failure that made them.',
      labelNames: ['from', 'to', 'outcome'],
      registers,
    }),
    keptResponses: new Counter({
      name: 'zai_translator_kept_responses_total',
      help: 'Responses that were to be kept, by what came of it.',
      labelNames: ['outcome'],
      registers,
    }),
    keptRuns: new Gauge({
      name: 'zai_translator_kept_runs',
      help: 'Responses that run now and are kept meanwhile.',
      labelNames: ['background'],
      registers,
    }),
    followers: new Gauge({
      name: 'zai_translator_response_followers',
      help: 'Clients that read along with a kept response now.',
      registers,
    }),
    answerCache: new Counter({
      name: 'zai_translator_answer_cache_total',
      help: 'Answers that may be kept and shared: kept ones, those that another turn was just given, and those that were asked for.',
      labelNames: ['outcome'],
      registers,
    }),
    canaryTurns: new Counter({
      name: 'zai_translator_canary_turns_total',
      help: 'Minimal questions of our own, asked to learn how the upstream is.',
      labelNames: ['driver', 'outcome'],
      registers,
    }),
    requestDuration: new Histogram({
      name: 'gen_ai_server_request_duration_seconds',
      help: 'From the decoded request to the last byte of its answer.',
      labelNames: [...genAiLabels, 'error_type'],
      buckets: durationBuckets,
      registers,
    }),
    timeToFirstToken: new Histogram({
      name: 'gen_ai_server_time_to_first_token_seconds',
      help: 'From the decoded request to the first content, thinking included.',
      labelNames: genAiLabels,
      buckets: firstTokenBuckets,
      registers,
    }),
    timePerOutputToken: new Histogram({
      name: 'gen_ai_server_time_per_output_token_seconds',
      help: 'From the first content to the end, by the number of tokens after the first one.',
      labelNames: genAiLabels,
      buckets: perTokenBuckets,
      registers,
    }),
    tokenUsage: new Histogram({
      name: 'gen_ai_client_token_usage',
      help: 'Tokens of complete turns.',
      labelNames: [...genAiLabels, 'gen_ai_token_type'],
      buckets: tokenBuckets,
      registers,
    }),
    operationDuration: new Histogram({
      name: 'gen_ai_client_operation_duration_seconds',
      help: 'A try at an upstream, to the last byte of its answer.',
      labelNames: [...genAiLabels, 'error_type'],
      buckets: durationBuckets,
      registers,
    }),
    timeToFirstChunk: new Histogram({
      name: 'gen_ai_client_operation_time_to_first_chunk_seconds',
      help: 'From the beginning of a try at an upstream to its first content.',
      labelNames: genAiLabels,
      buckets: firstTokenBuckets,
      registers,
    }),
    timePerOutputChunk: new Histogram({
      name: 'gen_ai_client_operation_time_per_output_chunk_seconds',
      help: 'Between pieces of content as an upstream sends them.',
      labelNames: genAiLabels,
      buckets: perTokenBuckets,
      registers,
    }),
  };
}

/** Registers the length of the line for credentials, which is this process's own; asked of the store at each scrape. */
export function observeCredentialWaiters(registry: Registry, store: Pick<CredentialStore, 'counts'>): void {
  new Gauge({
    name: 'zai_credential_waiters',
    help: 'Turns that wait for a credential.',
    registers: [registry],
    async collect() {
      const counts = await store.counts().catch(() => undefined);
      if (counts) this.set(counts.waiting);
    },
  });
}

/** Registers the bytes of request bodies that are in memory, asked for at each scrape. */
export function observeBodyBytes(registry: Registry, bytes: () => number): void {
  new Gauge({
    name: 'zai_translator_request_body_bytes',
    help: 'Bytes of the request bodies that are read and passed on now.',
    registers: [registry],
    collect() {
      this.set(bytes());
    },
  });
}

/** Registers how much the store of responses in memory holds. */
export function observeResponseStore(
  registry: Registry,
  store: { readonly entries: number; readonly bytes: number },
): void {
  new Gauge({
    name: 'zai_translator_responses_store_entries',
    help: 'Responses that are kept in memory.',
    registers: [registry],
    collect() {
      this.set(store.entries);
    },
  });
  new Gauge({
    name: 'zai_translator_responses_store_bytes',
    help: 'Size of the responses that are kept in memory.',
    registers: [registry],
    collect() {
      this.set(store.bytes);
    },
  });
}
