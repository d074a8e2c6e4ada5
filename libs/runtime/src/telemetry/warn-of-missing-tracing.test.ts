import { expect, it } from '@jest/globals';
import { createLogger } from '../create-logger.ts';
import { warnOfMissingTracing } from './warn-of-missing-tracing.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

it.each([
  ['nobody asks for traces', {}, 0],
  ['traces are asked for and nothing was loaded before', endpoint, 1],
  ['traces are switched off', { ...endpoint, OTEL_SDK_DISABLED: 'true' }, 0],
])('when %s', (_what, env, warnings) => {
  const lines: string[] = [];
  const logger = createLogger(
    { name: 'test', level: 'warn', format: 'json' },
    { write: (line: string) => lines.push(line) },
  );
  warnOfMissingTracing(logger, env);
  expect(lines.filter((line) => line.includes('--import @zai2api/runtime/telemetry'))).toHaveLength(warnings);
});
