import { historyModes } from '@zai2api/dialects';
import {
  redisSettings,
  runtimeSettings,
  setting,
  sharedSettings,
  webUpstreamSettings,
  type SettingDescription,
  type Settings,
} from '@zai2api/runtime';
import { reasoningRenderings } from '@zai2api/turn';
import { z } from 'zod';
import { modelAliasesSetting, modelFallbacksSetting } from './models/model-names.ts';
import { contextTokensSetting } from './models/context-tokens.ts';
import { idleFloorsSetting } from './turn/idle-floors.ts';

const upstreamNames = z
  .array(z.enum(['platform', 'web'], { error: 'expected a comma separated list of platform and web' }))
  .min(1, 'expected at least one of platform and web')
  .transform((names) => [...new Set(names)]);

/** The settings of the translator itself. */
export const translatorSettings = {
  ZAI_TRANSLATOR_HOST: setting.text({
    default: '0.0.0.0',
    description: 'Address of the translator when it runs as a process of its own.',
  }),
  ZAI_TRANSLATOR_PORT: setting.integer({
    default: 8081,
    max: 65_535,
    description: 'Port of the translator when it runs as a process of its own.',
  }),
  ZAI_UPSTREAMS: setting
    .list({ default: ['platform', 'web'], description: '' })
    .pipe(upstreamNames)
    .meta({
      description:
        'The upstreams in the order in which they are asked: `platform` (the official API) and `web` (chat.z.ai). One without credentials is skipped.',
      defaultText: 'platform,web',
    } satisfies SettingDescription),
  ZAI_PLATFORM_API_KEY: setting.secret({
    description: 'API key of the official API, or several, comma separated.',
  }),
  ZAI_PLATFORM_BASE: setting.url({
    default: 'https://api.z.ai/api/paas/v4',
    description:
      'Base of the official API; `https://open.bigmodel.cn/api/paas/v4` for keys of the China platform. That of a Coding Plan only where its terms allow this use.',
  }),
  ZAI_PLATFORM_KEY_CONCURRENCY: setting.integer({
    default: 10,
    min: 1,
    max: 10_000,
    description: 'Turns that may run at once on one API key.',
  }),
  ZAI_MODEL_ALIASES: modelAliasesSetting,
  ZAI_MODEL_FALLBACKS: modelFallbacksSetting,
  ZAI_MODEL_NAME: setting.text({ default: 'glm-4.7', description: 'Model of a request that names none.' }),
  ZAI_THINK_TAGS_MODE: setting.choice({
    values: reasoningRenderings,
    default: 'separate',
    description:
      'How thinking is shown: `separate` (`reasoning_content`), `think`, `pure`, `raw` (all three in the text) or `none`.',
  }),
  ZAI_SEARCH_SOURCES: setting.choice({
    values: ['annotations', 'list'],
    default: 'annotations',
    description:
      'How the sources of a web search are shown: `annotations` beside the text, or also as a `list` at the end of it.',
  }),
  ZAI_INCLUDE_THINKING: setting.boolean({
    default: true,
    description: 'Whether answers show thinking; with `false` only a request that names a `think_tags_mode` sees it.',
  }),
  ZAI_FUNCTION_CALL_ENABLED: setting.boolean({
    default: true,
    description:
      'Whether client tools are offered to the model; with `false` they are ignored, and a demanded call is refused.',
  }),
  ZAI_THINKING_DEFAULT: setting.boolean({
    default: true,
    description: 'Whether models that can think do so when the request says nothing about it.',
  }),
  ZAI_MODELS_CACHE_TTL: setting.seconds({
    default: 300,
    description: 'Seconds that the upstream’s model list is kept.',
  }),
  ZAI_CONTENT_CACHE_TTL: setting.seconds({
    default: 0,
    description:
      'Seconds that a whole answer is kept for the same question of the same API key: those with temperature 0, without tools or search. Identical ones that are asked at the same time are then asked once. 0: never.',
  }),
  ZAI_CACHE_MAX_SIZE: setting.integer({
    default: 1_000,
    min: 1,
    max: 1_000_000,
    description: 'How many answers are kept at most; the one that was used longest ago makes room.',
  }),
  ZAI_REQUEST_TIMEOUT: sharedSettings.ZAI_REQUEST_TIMEOUT,
  ZAI_STREAM_TIMEOUT: setting.seconds({
    default: 120,
    description: 'Longest silence of the upstream, in seconds, in a streamed answer.',
  }),
  ZAI_NON_STREAM_TIMEOUT: setting.seconds({
    default: 30,
    description: 'Longest silence of the upstream, in seconds, in an answer that is sent whole.',
  }),
  ZAI_MULTIMODAL_TIMEOUT: setting.seconds({
    default: 300,
    description: 'Longest silence of the upstream, in seconds, in an answer to images, videos or documents.',
  }),
  ZAI_MEDIA_MAX_BYTES: setting.integer({
    default: 20_971_520,
    min: 1024,
    description:
      'Largest image, video or document, in bytes. All of one request together have no more than ZAI_MAX_BODY_BYTES.',
  }),
  ZAI_MEDIA_TIMEOUT: setting.seconds({
    default: 30,
    min: 1,
    description: 'Seconds for fetching the images, videos and documents that a request names by their address.',
  }),
  ZAI_MEDIA_ALLOW_HTTP: setting.boolean({
    default: false,
    description: 'Fetch images, videos and documents from http addresses too, not from https ones alone.',
  }),
  ZAI_CONNECT_TIMEOUT: setting.seconds({
    default: 10,
    description: 'Seconds for a connection to the upstream to come about; exact to about half a second.',
  }),
  ZAI_FIRST_TOKEN_TIMEOUT: setting.seconds({
    default: 0,
    description:
      'Seconds from the request to the upstream until the first content, thinking included. 0: only silence is limited.',
  }),
  ZAI_TOTAL_TIMEOUT: setting.seconds({
    default: 0,
    description: 'Seconds for a whole answer with all its tries; what runs longer ends in an error. 0: no limit.',
  }),
  ZAI_IDLE_FLOORS: idleFloorsSetting,
  ZAI_CONTEXT_TOKENS: contextTokensSetting,
  ZAI_RETRY_BUDGET: setting.seconds({
    default: 30,
    description: 'Seconds of a request after which no new try at the upstream begins. 0: never try again.',
  }),
  ZAI_CANARY_INTERVAL: setting.seconds({
    default: 0,
    description:
      'Seconds without traffic after which a minimal question of our own finds out how the upstream is, for `GET /v1/status` and the metrics. 0: never.',
  }),
  ZAI_CREDENTIAL_WAIT: setting.seconds({
    default: 20,
    description: 'Seconds that a request waits for a free upstream token.',
  }),
  ZAI_CREDENTIAL_LEASE: setting.seconds({
    default: 60,
    min: 1,
    description:
      'Seconds after which the upstream token of a turn is free again when its process has died. A running turn renews it in time.',
  }),
  ZAI_SSE_HEARTBEAT_SECONDS: setting.seconds({
    default: 15,
    description: 'Seconds of silence after which a stream gets a keep-alive comment.',
  }),
  ZAI_FIRST_BYTE_GRACE: setting.seconds({
    default: 10,
    description:
      'Seconds to wait for the first content before a stream is begun with a keep-alive comment; failures until then are HTTP errors.',
  }),
  ZAI_HISTORY_MODE: setting.choice({
    values: historyModes,
    default: 'flattened',
    description:
      'How a conversation goes up: `flattened` into one user message, or as `messages`, which the upstream may refuse or forget.',
  }),
  ZAI_DELETE_CHATS: setting.boolean({ default: true, description: 'Delete the upstream chat after its turn.' }),
  ZAI_SEAL_SECRET: setting.secret({
    description:
      'Secret of the sealed thinking that clients carry from one request to the next; the same in every replica. Unset: a random one at each start.',
  }),
  ZAI_RESPONSES_TTL: setting.seconds({
    default: 86_400,
    description:
      'Seconds that a response of `/v1/responses` with `store: true` is kept, prompt and answer, in Redis or in memory. 0: nothing is kept.',
  }),
  ZAI_RESPONSES_MAX_BYTES: setting.integer({
    default: 8_388_608,
    min: 1024,
    description: 'The most that is kept of one response: its conversation, itself and its events.',
  }),
  ZAI_RESPONSES_MEMORY_BYTES: setting.integer({
    default: 67_108_864,
    min: 1024,
    description: 'The most that all kept responses take without a Redis; those that nobody asked for longest go first.',
  }),
  ZAI_RESPONSES_REDIS_BYTES: setting.integer({
    default: 100_663_296,
    min: 1024,
    description:
      'The most that all kept responses take in Redis, which needs room for the rest; those that were kept first go first.',
  }),
  ZAI_RESPONSES_MAX_BACKGROUND: setting.integer({
    default: 64,
    min: 0,
    description:
      'Responses that one process runs at once without needing a client: those with `background: true`, and kept streams whose client has disconnected. One key may use three quarters. Beyond it a background request gets 429, and a stream whose client disconnects is cancelled.',
  }),
  ZAI_MAX_BODY_BYTES: sharedSettings.ZAI_MAX_BODY_BYTES,
  ZAI_MAX_BODIES_BYTES: setting.integer({
    default: 67_108_864,
    min: 1024,
    description: 'Bytes of all request bodies that are read and passed on at the same time; more wait, then get 503.',
  }),
};

/** Everything that a translator process reads from its environment. */
export const translatorProcessSettings = {
  ...runtimeSettings,
  ...webUpstreamSettings,
  ...translatorSettings,
  ...redisSettings,
  ZAI_UPSTREAM_TOKEN: sharedSettings.ZAI_UPSTREAM_TOKEN,
  ZAI_UPSTREAM_TOKEN_CONCURRENCY: sharedSettings.ZAI_UPSTREAM_TOKEN_CONCURRENCY,
};

/** The parsed settings that `createChatTranslator` needs. */
export type TranslatorSettings = Settings<typeof translatorSettings & typeof webUpstreamSettings>;
