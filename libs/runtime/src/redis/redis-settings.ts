import type { Settings } from '../config/parse-settings.ts';
import { setting } from '../config/setting.ts';

/** Where Redis is, and how to reach it. One of `REDIS_URL`, `REDIS_SENTINELS` and `REDIS_CLUSTER_NODES`, or none: no Redis. */
export const redisSettings = {
  REDIS_URL: setting.secret({
    description: 'A single Redis: `redis://user:password@host:6379/0`, or `rediss://` for TLS.',
  }),
  REDIS_SENTINELS: setting.list({
    default: [],
    description: 'Sentinels as `host:port`, comma separated, when they know where the primary is.',
  }),
  REDIS_SENTINEL_NAME: setting.text({ default: 'mymaster', description: 'Name of the primary among the Sentinels.' }),
  REDIS_SENTINEL_USERNAME: setting.optionalText({ description: 'ACL user at the Sentinels.' }),
  REDIS_SENTINEL_PASSWORD: setting.secret({
    description: 'Password of the Sentinels; the one of Redis is REDIS_PASSWORD.',
  }),
  REDIS_CLUSTER_NODES: setting.list({
    default: [],
    description: 'Some nodes of a Redis Cluster as `host:port`, comma separated; the others are found by them.',
  }),
  REDIS_USERNAME: setting.optionalText({ description: 'ACL user; unset: the one of REDIS_URL, or the default user.' }),
  REDIS_PASSWORD: setting.secret({ description: 'Password; unset: the one of REDIS_URL, or none.' }),
  REDIS_TLS: setting.boolean({
    default: false,
    description: 'TLS to Redis, its Sentinels and its Cluster nodes. `rediss://` in REDIS_URL says the same.',
  }),
  REDIS_TLS_CA_FILE: setting.optionalText({
    description: 'File with the certificate authority that signed for Redis, in PEM; unset: the public ones.',
  }),
  REDIS_TLS_CERT_FILE: setting.optionalText({ description: 'File with our certificate, when Redis asks for one.' }),
  REDIS_TLS_KEY_FILE: setting.optionalText({ description: 'File with the key of our certificate.' }),
  REDIS_KEY_PREFIX: setting.text({
    default: 'zai',
    description: 'First part of every key and channel, so that several installations can share one Redis.',
  }),
  REDIS_COMMAND_TIMEOUT: setting.seconds({
    default: 2,
    min: 0.05,
    max: 60,
    description: 'Seconds that a command to Redis may take, also while there is no connection.',
  }),
};

/** The parsed `redisSettings`. */
export type RedisSettings = Settings<typeof redisSettings>;

/** Whether a Redis is configured at all. */
export function isRedisConfigured(settings: RedisSettings): boolean {
  return (
    settings.REDIS_URL !== undefined || settings.REDIS_SENTINELS.length > 0 || settings.REDIS_CLUSTER_NODES.length > 0
  );
}
