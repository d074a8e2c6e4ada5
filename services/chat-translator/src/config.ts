import { runtimeSettings, setting, webUpstreamSettings, type Settings } from '@zai2api/runtime';
import { reasoningRenderings } from '@zai2api/turn';

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
  ZAI_MODEL_NAME: setting.text({ default: 'glm-4.7', description: 'Model of a request that names none.' }),
  ZAI_THINK_TAGS_MODE: setting.choice({
    values: reasoningRenderings,
    default: 'separate',
    description:
      'How thinking is shown: `separate` (`reasoning_content`), `think`, `pure`, `raw` (all three in the text) or `none`.',
  }),
  ZAI_THINKING_DEFAULT: setting.boolean({
    default: true,
    description: 'Whether models that can think do so when the request says nothing about it.',
  }),
  ZAI_MODELS_CACHE_TTL: setting.seconds({
    default: 300,
    description: 'Seconds that the upstream’s model list is kept.',
  }),
  ZAI_REQUEST_TIMEOUT: setting.seconds({
    default: 60,
    description: 'Seconds for a call to the upstream that is no answer: models, chats, tokens.',
  }),
  ZAI_STREAM_TIMEOUT: setting.seconds({
    default: 120,
    description: 'Longest silence of the upstream, in seconds, in a streamed answer.',
  }),
  ZAI_NON_STREAM_TIMEOUT: setting.seconds({
    default: 30,
    description: 'Longest silence of the upstream, in seconds, in an answer that is sent whole.',
  }),
  ZAI_CREDENTIAL_WAIT: setting.seconds({
    default: 20,
    description: 'Seconds that a request waits for a free upstream token.',
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
  ZAI_DELETE_CHATS: setting.boolean({ default: true, description: 'Delete the upstream chat after its turn.' }),
  ZAI_MAX_BODY_BYTES: setting.integer({
    default: 33_554_432,
    min: 1024,
    description: 'Largest request body, in bytes.',
  }),
};

/** Everything that a translator process reads from its environment. */
export const translatorProcessSettings = {
  ...runtimeSettings,
  ...webUpstreamSettings,
  ...translatorSettings,
  ZAI_UPSTREAM_TOKEN: setting.secret({
    description: 'Your own chat.z.ai token, or several, comma separated. Preferred over guest tokens.',
  }),
  ZAI_UPSTREAM_TOKEN_CONCURRENCY: setting.integer({
    default: 3,
    min: 1,
    max: 1_000,
    description: 'Turns that may run at once on one user token.',
  }),
};

/** The parsed settings that `createChatTranslator` needs. */
export type TranslatorSettings = Settings<typeof translatorSettings & typeof webUpstreamSettings>;
