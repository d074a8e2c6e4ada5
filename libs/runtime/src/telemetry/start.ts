/**
 * Loaded before a service's main by `node --import @zai2api/runtime/telemetry`: only what starts first sees every server and client. Does
 * nothing, and loads nothing, unless the standard variables of OpenTelemetry say where traces go.
 */
import { wantsTracing } from './wants-tracing.ts';

if (wantsTracing(process.env)) {
  const { startTracing } = await import('./start-tracing.ts');
  startTracing(process.env);
}
