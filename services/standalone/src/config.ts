import { translatorSettings } from '@zai2api/chat-translator';
import { gatewaySettings, readApiKeys } from '@zai2api/gateway';
import {
  ConfigError,
  parseSettings,
  redisSettings,
  runtimeSettings,
  webUpstreamSettings,
  type Settings,
} from '@zai2api/runtime';
import { tokenRefresherSettings } from '@zai2api/token-refresher';

/** The settings of all three services and of the process: whatever they share has one value. */
export const standaloneSettings = {
  ...runtimeSettings,
  ...webUpstreamSettings,
  ...gatewaySettings,
  ...translatorSettings,
  ...tokenRefresherSettings,
  ...redisSettings,
};

/** The parsed `standaloneSettings`. */
export type StandaloneSettings = Settings<typeof standaloneSettings>;

/** Reads them from an environment. Throws a ConfigError with all faults. */
export function loadStandaloneSettings(env: Record<string, string | undefined>): StandaloneSettings {
  const settings = parseSettings(standaloneSettings, env);
  const known = new Set(readApiKeys(settings.ZAI_API_KEY).map(({ name }) => name));
  // A translator of its own does not see the keys, and so cannot tell.
  const faults = (['ZAI_MODEL_ALIASES', 'ZAI_MODEL_FALLBACKS'] as const).flatMap((setting) => {
    const named = new Set(settings[setting].flatMap(({ keyName }) => keyName ?? []));
    return [...named]
      .filter((name) => !known.has(name))
      .map((name) => `${setting}: no key in ZAI_API_KEY has the name "${name}"`);
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return settings;
}
