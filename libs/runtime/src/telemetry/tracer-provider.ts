import { setTimeout as wait } from 'node:timers/promises';
import { trace, type TracerProvider } from '@opentelemetry/api';

/** The SDK's part that keeps spans until they are sent. */
interface SpanKeeper {
  shutdown(): Promise<void>;
}

interface StandIn extends TracerProvider, Partial<SpanKeeper> {
  getDelegate?(): Partial<SpanKeeper>;
}

/** A collector that does not answer must not hold up the stop. */
const MAX_FLUSH_MS = 3_000;

function findSpanKeeper(): SpanKeeper | undefined {
  // The API hands out a stand-in, which knows the SDK's own once there is one.
  const provider = trace.getTracerProvider() as StandIn;
  const actual = provider.getDelegate?.() ?? provider;
  return actual.shutdown ? (actual as SpanKeeper) : undefined;
}

/** Whether an SDK was started before the service. */
export const isTracing = (): boolean => findSpanKeeper() !== undefined;

/** Sends the last spans, within a bound; there are none afterwards. Never rejects. */
export async function flushTraces(): Promise<void> {
  const keeper = findSpanKeeper();
  if (!keeper) return;
  const inTime = new AbortController();
  await Promise.race([
    keeper.shutdown().catch(() => undefined),
    wait(MAX_FLUSH_MS, undefined, { signal: inTime.signal }).catch(() => undefined),
  ]);
  inTime.abort();
}
