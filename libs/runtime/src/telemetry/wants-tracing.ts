type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether the standard `OTEL_*` variables ask for traces: an OTLP endpoint is named, or an exporter that needs none. `OTEL_SDK_DISABLED=true`
 * and `OTEL_TRACES_EXPORTER=none` switch it off.
 */
export function wantsTracing(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return false;
  const exporters = (env['OTEL_TRACES_EXPORTER'] ?? '').split(',').map((name) => name.trim());
  const named = exporters.filter((name) => name !== '');
  if (named.includes('none')) return false;
  if (named.some((name) => name !== 'otlp')) return true;
  // An empty variable counts as unset, as the specification has it.
  return Boolean(env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT']);
}
