import { translatorSettings } from '@zai2api/chat-translator';
import { gatewaySettings } from '@zai2api/gateway';
import { parseSettings, redisSettings, runtimeSettings, webUpstreamSettings, type Settings } from '@zai2api/runtime';
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
  return parseSettings(standaloneSettings, env);
}
