import {
  redisSettings,
  runtimeSettings,
  setting,
  sharedSettings,
  webUpstreamSettings,
  type Settings,
} from '@zai2api/runtime';

/** The settings of the pool and of what fills it. */
export const tokenRefresherSettings = {
  ZAI_ANON_TOKEN_ENABLED: setting.boolean({
    default: true,
    description: 'Use guest tokens of the web backend. With `false` no guest token is ever asked for.',
  }),
  ZAI_ANON_POOL_SIZE: setting.integer({
    default: 3,
    min: 1,
    max: 1_000,
    description: 'How many guest tokens are kept ready.',
  }),
  ZAI_ANON_TOKEN_CONCURRENCY: setting.integer({
    default: 1,
    min: 1,
    max: 1_000,
    description: 'Turns that may run at once on one guest token.',
  }),
  ZAI_ANON_MINTS_PER_HOUR: setting.integer({
    default: 120,
    min: 1,
    description: 'Most guest tokens that are asked for in any hour, successful or not.',
  }),
  ZAI_AUTH_TOKEN_CACHE_TTL: setting.seconds({
    default: 600,
    min: 10,
    description:
      'Seconds after which a guest token is replaced (up to 15 % sooner, so that they do not all end together).',
  }),
  ZAI_UPSTREAM_TOKEN: sharedSettings.ZAI_UPSTREAM_TOKEN,
  ZAI_UPSTREAM_TOKEN_FILE: setting.optionalText({
    description:
      'File with more tokens of your own, one per line or comma separated, such as a mounted secret; read again when it changes.',
  }),
  ZAI_UPSTREAM_TOKEN_CONCURRENCY: sharedSettings.ZAI_UPSTREAM_TOKEN_CONCURRENCY,
  ZAI_USER_TOKEN_CHECK_INTERVAL: setting.seconds({
    default: 300,
    min: 10,
    description: 'Seconds between two checks of a user token.',
  }),
  ZAI_REFRESH_INTERVAL: setting.seconds({
    default: 30,
    min: 1,
    description: 'Seconds between two looks at the pool; it is also looked at whenever a request finds no token.',
  }),
  ZAI_REQUEST_TIMEOUT: sharedSettings.ZAI_REQUEST_TIMEOUT,
};

/** The parsed `tokenRefresherSettings`. */
export type TokenRefresherSettings = Settings<typeof tokenRefresherSettings>;

/** The settings of a refresher that is a process of its own. */
export const refresherProcessSettings = {
  ...runtimeSettings,
  ...webUpstreamSettings,
  ...tokenRefresherSettings,
  ...redisSettings,
};
