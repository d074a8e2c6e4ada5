import type { CredentialStore } from '@zai2api/credentials';
import { isRedisConfigured, type RedisSettings, type Runtime, type Secret } from '@zai2api/runtime';
import { openOwnCredentials } from './own-credentials.ts';
import { openSharedCredentials } from './shared-credentials.ts';
import { readPlatformKeys } from './zai-platform/platform-keys.ts';

/**
 * The tokens of the web backend that a translator process of its own can use; undefined when it is to use none, or has only keys of the
 * official API. Throws a ConfigError when it has neither.
 */
export async function openWebCredentials(
  settings: RedisSettings & {
    readonly ZAI_UPSTREAMS: readonly string[];
    readonly ZAI_PLATFORM_API_KEY: Secret | undefined;
    readonly ZAI_UPSTREAM_TOKEN: Secret | undefined;
    readonly ZAI_UPSTREAM_TOKEN_CONCURRENCY: number;
  },
  runtime: Runtime,
): Promise<CredentialStore | undefined> {
  const { ZAI_UPSTREAMS: upstreams, ZAI_UPSTREAM_TOKEN: token } = settings;
  if (!upstreams.includes('web')) return undefined;
  if (isRedisConfigured(settings)) return openSharedCredentials(settings, runtime);
  const hasKeys = upstreams.includes('platform') && readPlatformKeys(settings.ZAI_PLATFORM_API_KEY).length > 0;
  if (hasKeys && token === undefined) return undefined;
  return openOwnCredentials(token, settings.ZAI_UPSTREAM_TOKEN_CONCURRENCY);
}
