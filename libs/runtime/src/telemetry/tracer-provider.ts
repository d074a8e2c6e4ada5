import { trace, type TracerProvider } from '@opentelemetry/api';
import { within } from '../async/within.ts';

/** The SDK's part that keeps spans until they are sent. */
interface ShutdownableProvider {
  shutdown(): Promise<void>;
}

interface ProxyProvider extends TracerProvider, Partial<ShutdownableProvider> {
  getDelegate?(): Partial<ShutdownableProvider>;
}

/** A collector that does not answer must not hold up the stop. */
const MAX_FLUSH_MS = 3_000;

function findShutdownableProvider(): ShutdownableProvider | undefined {
  // The API hands out a proxy, which knows the SDK's own once there is one.
  const provider = trace.getTracerProvider() as ProxyProvider;
  const actual = provider.getDelegate?.() ?? provider;
  return actual.shutdown ? (actual as ShutdownableProvider) : undefined;
}

/** Whether an SDK was started before the service. */
export const isTracing = (): boolean => findShutdownableProvider() !== undefined;

/** Sends the last spans, within a bound; there are none afterwards. Never rejects. */
export async function flushTraces(): Promise<void> {
  const provider = findShutdownableProvider();
  if (provider) await within(provider.shutdown(), MAX_FLUSH_MS).catch(() => undefined);
}
