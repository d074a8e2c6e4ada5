/** Names that are known from elsewhere (protocol 9.1) and have no effect here: what they tune is not there, or not yet. */
const settingsWithoutEffect: ReadonlySet<string> = new Set([
  'ZAI_ANTHROPIC_API_KEY',
  'ZAI_AUTO_RELOAD',
  'ZAI_CACHE_DEFAULT_TTL',
  'ZAI_MAX_JSON_SCAN',
  'ZAI_SHOW_ERRORS_DETAIL',
  'ZAI_TOOL_CALL_RETRY_BACKOFF',
  'ZAI_TOOL_CALL_RETRY_COUNT',
  'ZAI_TOOL_CALL_TIMEOUT',
]);

/** A variable that nobody reads; `isKnownElsewhere`: it has a meaning in other services of this kind. */
export interface UnknownSetting {
  readonly name: string;
  readonly isKnownElsewhere: boolean;
}

/** The variables of an environment that begin with `ZAI_` and are none of `known`: a typing error, or one without effect. */
export function findUnknownSettings(
  known: ReadonlySet<string>,
  env: Record<string, string | undefined>,
): UnknownSetting[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('ZAI_') && !known.has(name))
    .map((name) => ({ name, isKnownElsewhere: settingsWithoutEffect.has(name) }));
}
