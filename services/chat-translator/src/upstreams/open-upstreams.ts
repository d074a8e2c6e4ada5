import type { CredentialStore } from '@zai2api/credentials';
import { builtInModels, builtInPlatformModels, type CodecContext, type WebProfile } from '@zai2api/dialects';
import { ConfigError, type Runtime } from '@zai2api/runtime';
import type { Dispatcher } from 'undici';
import type { TranslatorSettings } from '../config.ts';
import { traceDriver } from '../telemetry/trace-driver.ts';
import { leaseOutcomeOf } from '../turn/lease-outcome.ts';
import { proveAnswers } from '../turn/prove-answer.ts';
import type { SchemaChecks } from '../turn/schema-check.ts';
import { createPlatformKeys, readPlatformKeys } from '../zai-platform/platform-keys.ts';
import { createZaiPlatformDriver } from '../zai-platform/zai-platform-driver.ts';
import { createZaiWebDriver } from '../zai-web/zai-web-driver.ts';
import { createUpstream, type WatchedUpstream } from './create-upstream.ts';

/** What the configured upstreams are opened with. */
export interface OpenUpstreamsOptions {
  readonly settings: TranslatorSettings;
  readonly profile: WebProfile;
  /** Guest and user tokens of the web backend; undefined where there can be none. */
  readonly webCredentials: CredentialStore | undefined;
  readonly dispatcher: Dispatcher;
  readonly context: CodecContext;
  readonly schemas: SchemaChecks;
  readonly runtime: Runtime;
}

/**
 * The configured upstreams that have credentials, in the order in which they are asked. The platform's keys end with the runtime's stop.
 * Throws a ConfigError when there is none.
 */
export function openUpstreams(options: OpenUpstreamsOptions): readonly [WatchedUpstream, ...WatchedUpstream[]] {
  const { settings, runtime } = options;
  const open = { platform: openPlatform, web: openWeb };
  const [first, ...others] = settings.ZAI_UPSTREAMS.flatMap((name) => open[name](options) ?? []);
  if (!first) {
    throw new ConfigError([
      `ZAI_UPSTREAMS: none of ${settings.ZAI_UPSTREAMS.join(', ')} has credentials: set ZAI_PLATFORM_API_KEY for the official API, ` +
        'or a token for the web backend.',
    ]);
  }
  const skipped = settings.ZAI_UPSTREAMS.filter((name) => ![first, ...others].some((each) => each.name === name));
  runtime.logger.info({ upstreams: [first, ...others].map(({ name }) => name), skipped }, 'upstreams');
  return [first, ...others];
}

function openPlatform(options: OpenUpstreamsOptions): WatchedUpstream | undefined {
  const { settings, dispatcher, context, schemas, runtime } = options;
  const { logger } = runtime;
  const keys = readPlatformKeys(settings.ZAI_PLATFORM_API_KEY);
  if (keys.length === 0) return undefined;
  const base = settings.ZAI_PLATFORM_BASE;
  const credentials = createPlatformKeys(keys, {
    concurrency: settings.ZAI_PLATFORM_KEY_CONCURRENCY,
    now: context.now,
    logger,
  });
  runtime.onStop('stores', 'api keys', () => credentials.close());
  const driver = createZaiPlatformDriver({
    profile: { base, language: settings.ZAI_LANGUAGE },
    requestTimeoutMs: settings.ZAI_REQUEST_TIMEOUT * 1000,
    imageTimeoutMs: settings.ZAI_MULTIMODAL_TIMEOUT * 1000,
    dispatcher,
    context,
    logger,
  });
  return createUpstream({
    driver: proveAnswers(traceDriver(driver, base), { schemas, newId: () => context.newId() }),
    credentials,
    outcomeOf: (error) => credentials.outcomeOf(error),
    builtInModels: builtInPlatformModels,
    ...commonOptions(options),
  });
}

function openWeb(options: OpenUpstreamsOptions): WatchedUpstream | undefined {
  const { settings, profile, webCredentials: credentials, dispatcher, context, schemas, runtime } = options;
  if (!credentials) return undefined;
  const driver = createZaiWebDriver({
    profile,
    fallbackFrontendVersion: settings.ZAI_FE_VERSION,
    requestTimeoutMs: settings.ZAI_REQUEST_TIMEOUT * 1000,
    deleteChats: settings.ZAI_DELETE_CHATS,
    historyMode: settings.ZAI_HISTORY_MODE,
    dispatcher,
    context,
    logger: runtime.logger,
  });
  return createUpstream({
    driver: proveAnswers(traceDriver(driver, profile.base), { schemas, newId: () => context.newId() }),
    credentials,
    outcomeOf: leaseOutcomeOf,
    builtInModels,
    ...commonOptions(options),
  });
}

const commonOptions = ({ settings, context, runtime }: OpenUpstreamsOptions) => ({
  modelsMaxAgeMs: settings.ZAI_MODELS_CACHE_TTL * 1000,
  requestTimeoutMs: settings.ZAI_REQUEST_TIMEOUT * 1000,
  leaseMs: settings.ZAI_CREDENTIAL_LEASE * 1000,
  now: context.now,
  logger: runtime.logger,
});
