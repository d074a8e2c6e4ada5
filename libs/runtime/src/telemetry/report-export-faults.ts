import { diag, DiagLogLevel } from '@opentelemetry/api';
import { createLogger } from '../create-logger.ts';

/** A collector that is away is away for every batch: once in a while is enough. */
const SILENCE_MS = 60_000;

/** Lets the SDK's own errors, foremost those of the export, appear as lines of our log; at most one a minute. */
export function reportExportFaults(service: string): void {
  const logger = createLogger({ name: service, level: 'warn', format: 'auto' });
  const ignore = (): void => undefined;
  let silentUntilMs = -Infinity;
  function error(text: string): void {
    const nowMs = performance.now();
    if (nowMs < silentUntilMs) return;
    silentUntilMs = nowMs + SILENCE_MS;
    logger.warn({ reason: messageOf(text) }, 'tracing is in trouble');
  }
  diag.setLogger(
    { error, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
}

/** The SDK hands over errors as JSON with their stacks. */
function messageOf(text: string): string {
  try {
    const { name, message } = JSON.parse(text) as Record<string, unknown>;
    return [name, message].filter((part) => typeof part === 'string').join(': ') || 'unknown';
  } catch {
    return text.slice(0, 200);
  }
}
