import type { Logger } from '../create-logger.ts';
import { isTracing } from './tracer-provider.ts';
import { wantsTracing } from './wants-tracing.ts';

/**
 * Warns when traces were asked for and nothing makes any. `OTEL_*` are no settings of ours: OpenTelemetry reads them from the environment of
 * the process, before there is any configuration.
 */
export function warnOfMissingTracing(logger: Pick<Logger, 'warn'>, env: NodeJS.ProcessEnv = process.env): void {
  if (!wantsTracing(env) || isTracing()) return;
  logger.warn('OTEL_* asks for traces, but tracing was not started: run node with --import @zai2api/runtime/telemetry');
}
