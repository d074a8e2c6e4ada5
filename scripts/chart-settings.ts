import { translatorProcessSettings } from '@zai2api/chat-translator';
import { gatewayProcessSettings } from '@zai2api/gateway';
import { type SettingDescription, type SettingsShape } from '@zai2api/runtime';
import { refresherProcessSettings } from '@zai2api/token-refresher';
import { format } from 'prettier';
import { stringify } from 'yaml';

/** What each of the chart's services reads from its environment. */
export const chartServices: Readonly<Record<string, SettingsShape>> = {
  gateway: gatewayProcessSettings,
  'chat-translator': translatorProcessSettings,
  'token-refresher': refresherProcessSettings,
};

/** Settings that the chart sets by itself, each with the sentence for somebody who puts it into `settings`. */
const ownedByChart: Readonly<Record<string, string>> = {
  ZAI_HOST: 'set listenAddress.',
  ZAI_PORT: 'the pods listen on 8080; set gateway.service.port.',
  ZAI_TRANSLATOR_HOST: 'set listenAddress.',
  ZAI_TRANSLATOR_PORT: 'the pods listen on 8081; set chatTranslator.service.port.',
  ZAI_TRANSLATOR_URL: 'follows from the Service of the chat-translator; for another one use gateway.extraEnv.',
  ZAI_ADMIN_HOST: 'set listenAddress.',
  ZAI_ADMIN_PORT: 'is 9464: the probes and the monitoring rely on it.',
  ZAI_API_KEY_ENABLED: 'set auth.enabled.',
  ZAI_ANON_TOKEN_ENABLED: 'set guests.enabled.',
  ZAI_SHUTDOWN_TIMEOUT: 'follows from streamSeconds.',
  ZAI_SHUTDOWN_DRAIN_DELAY: 'follows from streamSeconds.',
  ZAI_API_KEY: 'is a secret: set secrets.apiKeys.',
  ZAI_UPSTREAM_TOKEN: 'is a secret: set secrets.userTokens.',
  ZAI_UPSTREAM_TOKEN_FILE: 'follows from secrets.userTokens.',
  ZAI_PLATFORM_API_KEY: 'is a secret: set secrets.platformKeys.',
  ZAI_SIGNING_SECRET: 'is a secret: set secrets.signingSecret.',
  ZAI_SEAL_SECRET: 'is a secret: set secrets.sealSecret.',
  REDIS_URL: 'is a secret: set secrets.redisUrl.',
  REDIS_PASSWORD: 'is a secret: set secrets.redisPassword.',
  REDIS_SENTINEL_PASSWORD: 'is a secret: set secrets.redisSentinelPassword.',
  REDIS_USERNAME: 'set redis.username.',
  REDIS_SENTINELS: 'set redis.sentinels.',
  REDIS_SENTINEL_NAME: 'set redis.sentinelName.',
  REDIS_SENTINEL_USERNAME: 'set redis.sentinelUsername.',
  REDIS_CLUSTER_NODES: 'set redis.clusterNodes.',
  REDIS_KEY_PREFIX: 'set redis.keyPrefix.',
  REDIS_TLS: 'set redis.tls.enabled.',
  REDIS_TLS_CA_FILE: 'set redis.tls.existingSecret and redis.tls.caKey.',
  REDIS_TLS_CERT_FILE: 'set redis.tls.existingSecret and redis.tls.certKey.',
  REDIS_TLS_KEY_FILE: 'set redis.tls.existingSecret and redis.tls.keyKey.',
};

const HEAD = `# What may stand in the \`settings\` of each service, and where the other variables are set instead.
# Written by \`npm run config:docs\` from the settings of the code; the templates check against it.
`;

/** Whether a setting of the code must never be shown. */
export function isSecretSetting(schema: SettingsShape[string] | undefined): boolean {
  return (schema?.meta() as unknown as SettingDescription | undefined)?.secret === true;
}

/** The text of the chart's `files/settings.yaml`. */
export async function encodeChartSettings(): Promise<string> {
  const elsewhere = { ...secretsWithoutPlace(), ...ownedByChart };
  const services = Object.fromEntries(
    Object.entries(chartServices).map(([service, shape]) => [
      service,
      Object.keys(shape)
        .filter((name) => !(name in elsewhere))
        .sort(),
    ]),
  );
  return format(HEAD + stringify({ services, elsewhere }, { lineWidth: 0 }), {
    parser: 'yaml',
    singleQuote: true,
    printWidth: 120,
  });
}

/** A secret that the chart does not know yet must not end up in plain text either. */
function secretsWithoutPlace(): Record<string, string> {
  const names = Object.values(chartServices).flatMap((shape) =>
    Object.entries(shape).flatMap(([name, schema]) => (isSecretSetting(schema) ? [name] : [])),
  );
  return Object.fromEntries(
    names.map((name) => [name, 'is a secret: use extraEnv with a secretKeyRef, not a plain value.']),
  );
}
