import {
  ConfigError,
  parseSettings,
  redisSettings,
  runtimeSettings,
  setting,
  sharedSettings,
  type RedisSettings,
  type RuntimeSettings,
  type Settings,
} from '@zai2api/runtime';
import { readApiKeys, type ApiKey } from './api-keys.ts';
import type { ConcurrencyLimits } from './limits/concurrency-limiter.ts';

/** The gateway's own variables, without those of every process. */
export const gatewaySettings = {
  ZAI_HOST: setting.optionalText({
    description:
      'Address of the public port; unset: every address when keys are required or `ZAI_API_KEY_ENABLED=false`, else loopback.',
  }),
  ZAI_PUBLISHED_HOSTS: setting.list({
    default: [],
    description:
      'Addresses under which a container is published (`docker-compose.yml` sets it): with loopback ones alone it serves without keys.',
  }),
  ZAI_PORT: setting.integer({ default: 8080, max: 65_535, description: 'Public port. 0 takes any free port.' }),
  ZAI_API_KEY: setting.secret({
    description:
      'The accepted API keys, comma separated. A name and a space before a key, as in `team-a sk-…`, lets ZAI_MODEL_ALIASES and ZAI_MODEL_FALLBACKS have rules for it.',
  }),
  ZAI_API_KEY_ENABLED: setting.optionalBoolean({
    description:
      'Whether a key is required; unset: as soon as one is configured. `false` opens the API to everybody who reaches it.',
  }),
  ZAI_CORS_ORIGINS: setting.list({
    default: ['*'],
    description: 'Origins of web pages that may call the API, comma separated, or `*`.',
  }),
  ZAI_MAX_BODY_BYTES: sharedSettings.ZAI_MAX_BODY_BYTES,
  ZAI_MAX_CONCURRENT_REQUESTS: setting.integer({
    default: 100,
    min: 1,
    description: 'Turns that run at the same time.',
  }),
  ZAI_MAX_CONCURRENT_REQUESTS_PER_KEY: setting.integer({
    default: 0,
    description: 'Turns of one API key that run at the same time, in each gateway. 0: only the limit of all counts.',
  }),
  ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: setting.integer({
    default: 0,
    description: 'Turns that one API key may begin in a minute, in all gateways that share a Redis. 0: no limit.',
  }),
  ZAI_QUEUE_TIMEOUT: setting.seconds({
    default: 10,
    description: 'Seconds that a turn waits for its start before it is answered 429.',
  }),
  ZAI_QUEUE_SIZE: setting.integer({
    default: 1000,
    description: 'Turns that may wait at the same time; more are answered 429 at once.',
  }),
  ZAI_WEBSOCKET_ENABLED: setting.boolean({
    default: true,
    description: 'Whether `/v1/responses` is served over WebSocket, too; with `false` an upgrade is answered 426.',
  }),
  ZAI_WEBSOCKET_MAX_CONNECTIONS: setting.integer({
    default: 1000,
    min: 1,
    description: 'WebSockets that may be open at the same time, in each gateway.',
  }),
  ZAI_ENABLE_REQUEST_TRACING: setting.boolean({
    default: true,
    description: 'Whether each request is logged when it is over.',
  }),
  ZAI_TRANSLATOR_URL: setting.urls({
    default: ['http://127.0.0.1:8081'],
    description:
      'Where the gateway finds the chat-translator. Several, comma separated, take turns; one that cannot be reached is passed over. Not used by `standalone`.',
  }),
};

/** The parsed `gatewaySettings`. */
export type GatewaySettings = Settings<typeof gatewaySettings>;

/** What the variables mean together. */
export interface ResolvedGatewaySettings {
  readonly host: string;
  /** True: nobody but this machine reaches the address. */
  readonly isLoopback: boolean;
  readonly port: number;
  /** Empty: nobody is asked for a key. */
  readonly keys: readonly ApiKey[];
  /** A sentence for the log at start, when no key is asked for. */
  readonly openNotice: string | undefined;
  readonly corsOrigins: readonly string[];
  readonly maxBodyBytes: number;
  readonly concurrency: ConcurrencyLimits;
  /** 0: no limit. */
  readonly requestsPerMinute: number;
  readonly webSockets: { readonly isEnabled: boolean; readonly maxConnections: number };
  readonly translatorUrls: readonly string[];
  /** Whether each request is logged. */
  readonly logsRequests: boolean;
}

const EVERY_ADDRESS = '0.0.0.0';
const LOOPBACK = '127.0.0.1';

/**
 * Decides who may call and from where (architecture 5). Throws a ConfigError where the variables contradict each other: a required key
 * that is missing, or a public address without keys that nobody asked for.
 */
export function resolveGatewaySettings(settings: GatewaySettings): ResolvedGatewaySettings {
  const { ZAI_API_KEY_ENABLED: isEnabled, ZAI_HOST: wantedHost } = settings;
  const configured = readApiKeys(settings.ZAI_API_KEY);
  if (isEnabled === true && configured.length === 0) {
    throw new ConfigError(['ZAI_API_KEY_ENABLED: is true, but ZAI_API_KEY holds no key']);
  }
  const keys = isEnabled === false ? [] : configured;
  const host = wantedHost ?? (keys.length > 0 || isEnabled === false ? EVERY_ADDRESS : LOOPBACK);
  // What a container listens on says nothing: the address that it is published under decides who can reach it.
  const reachableHosts = settings.ZAI_PUBLISHED_HOSTS.length > 0 ? settings.ZAI_PUBLISHED_HOSTS : [host];
  const publicHost = reachableHosts.find((reachable) => !isLoopback(reachable));
  if (keys.length === 0 && isEnabled !== false && publicHost !== undefined) {
    throw new ConfigError([
      `ZAI_HOST: ${publicHost} is reachable by others, but no key is configured; set ZAI_API_KEY, or ZAI_API_KEY_ENABLED=false to open the API`,
    ]);
  }
  return {
    host,
    isLoopback: isLoopback(host),
    port: settings.ZAI_PORT,
    keys,
    openNotice: keys.length > 0 ? undefined : openNotice(publicHost === undefined),
    corsOrigins: settings.ZAI_CORS_ORIGINS,
    maxBodyBytes: settings.ZAI_MAX_BODY_BYTES,
    concurrency: {
      limit: settings.ZAI_MAX_CONCURRENT_REQUESTS,
      limitPerKey: settings.ZAI_MAX_CONCURRENT_REQUESTS_PER_KEY,
      queueSize: settings.ZAI_QUEUE_SIZE,
      queueTimeoutMs: settings.ZAI_QUEUE_TIMEOUT * 1000,
    },
    requestsPerMinute: settings.ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE,
    webSockets: {
      isEnabled: settings.ZAI_WEBSOCKET_ENABLED,
      maxConnections: settings.ZAI_WEBSOCKET_MAX_CONNECTIONS,
    },
    translatorUrls: settings.ZAI_TRANSLATOR_URL,
    logsRequests: settings.ZAI_ENABLE_REQUEST_TRACING,
  };
}

/** Everything that a gateway process reads from its environment. */
export const gatewayProcessSettings = { ...runtimeSettings, ...gatewaySettings, ...redisSettings };

/** Reads everything that the gateway as a process of its own needs. Throws a ConfigError. */
export function loadGatewaySettings(env: Record<string, string | undefined>): {
  runtime: RuntimeSettings;
  redis: RedisSettings;
  gateway: ResolvedGatewaySettings;
} {
  const settings = parseSettings(gatewayProcessSettings, env);
  return { runtime: settings, redis: settings, gateway: resolveGatewaySettings(settings) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function openNotice(isLocal: boolean): string {
  return isLocal
    ? 'No API key is configured: reachable on loopback only. Set ZAI_API_KEY to serve other machines.'
    : 'No API key is required: everybody who reaches this address may use the API.';
}
