import { describe, expect, it } from '@jest/globals';
import { wantsTracing } from './wants-tracing.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('wantsTracing', () => {
  it.each<[boolean, Record<string, string>]>([
    [false, {}],
    [false, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    [false, { OTEL_TRACES_EXPORTER: 'otlp' }],
    [false, { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318' }],
    [false, { ...endpoint, OTEL_SDK_DISABLED: 'true' }],
    [false, { ...endpoint, OTEL_SDK_DISABLED: ' TRUE ' }],
    [false, { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
    [true, endpoint],
    [true, { ...endpoint, OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: '' }],
    [true, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }],
    [true, { OTEL_TRACES_EXPORTER: 'console' }],
    [true, { OTEL_TRACES_EXPORTER: 'otlp, console' }],
  ])('is %s for %j', (expected, env) => {
    expect(wantsTracing(env)).toBe(expected);
  });
});
