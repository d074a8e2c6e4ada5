import type { Runtime } from '@zai2api/runtime';
import type { TranslatorMetrics } from '../metrics.ts';
import type { WatchedUpstream } from '../upstreams/create-upstream.ts';
import { askCanary } from './ask-canary.ts';
import { createCanary } from './canary.ts';

/** What the canary of an upstream is started with. Milliseconds. */
export interface StartCanaryOptions {
  readonly upstream: WatchedUpstream;
  readonly intervalMs: number;
  readonly leaseMs: number;
  /** The model that is asked. */
  readonly modelName: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly metrics: TranslatorMetrics;
  readonly runtime: Runtime;
}

/** Watches one upstream by questions of our own until the runtime's stop. */
export function startCanary({ upstream, leaseMs, modelName, metrics, runtime, ...options }: StartCanaryOptions): void {
  const { name, status } = upstream;
  const canary = createCanary({
    ...options,
    ask: async (signal) => {
      const outcome = await askCanary({ upstream, leaseMs, modelName, logger: runtime.logger }, signal);
      if (outcome) status.observe(outcome);
      return outcome;
    },
    lastEvidenceMs: status.lastEvidenceMs,
    onAsked: (outcome) => metrics.canaryTurns.inc({ driver: name, outcome }),
    random: Math.random,
    startTimer(onTime, ms) {
      const timer = setTimeout(onTime, ms).unref();
      return () => clearTimeout(timer);
    },
  });
  canary.start();
  runtime.onStop('servers', `canary ${name}`, () => canary.stop());
}
