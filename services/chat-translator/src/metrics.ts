import type { Registry } from '@zai2api/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';

/** The translator's own metrics; label values are closed lists. */
export interface TranslatorMetrics {
  /** `outcome`: `complete`, or the error code that the turn ended in. */
  readonly turns: Counter<'dialect' | 'stream' | 'outcome'>;
  readonly runningTurns: Gauge;
  /** From the decoded request to the first content, in seconds. */
  readonly timeToFirstToken: Histogram;
  readonly tokens: Counter<'type' | 'exactness'>;
  readonly upstreamRequests: Counter<'driver' | 'outcome'>;
  readonly retries: Counter<'driver' | 'recovery'>;
  /** Questions of our own, by how they went; in none of the other counters. `outcome`: `good`, `skipped`, or an error code. */
  readonly canaryTurns: Counter<'driver' | 'outcome'>;
}

/** Registers them; once per registry. */
export function createTranslatorMetrics(registry: Registry): TranslatorMetrics {
  const registers = [registry];
  return {
    turns: new Counter({
      name: 'zai_translator_turns_total',
      help: 'Turns by how they ended.',
      labelNames: ['dialect', 'stream', 'outcome'],
      registers,
    }),
    runningTurns: new Gauge({ name: 'zai_translator_running_turns', help: 'Turns that run now.', registers }),
    timeToFirstToken: new Histogram({
      name: 'zai_translator_time_to_first_token_seconds',
      help: 'Seconds from the request to the first content.',
      // As advised for gen_ai.server.time_to_first_token, and longer: thinking models are slow to begin (contract 6.1).
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80],
      registers,
    }),
    tokens: new Counter({
      name: 'zai_translator_tokens_total',
      help: 'Tokens of turns; estimated where the upstream did not count, as when a turn broke off.',
      labelNames: ['type', 'exactness'],
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
    canaryTurns: new Counter({
      name: 'zai_translator_canary_turns_total',
      help: 'Minimal questions of our own, asked to learn how the upstream is.',
      labelNames: ['driver', 'outcome'],
      registers,
    }),
  };
}
