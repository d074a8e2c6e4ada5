const username = 'zai2api';
const password = 'acl-test-password';
const rules =
  '~{test-*:credentials}:* ~{test-*:response:*}:* ~{test-*:rate-limit:*} &{test-*:credentials}:* &{test-*:response:*}:* +@connection +@read +@write +@scripting +@pubsub +time -@dangerous +info';
/** What a client of a Cluster needs on top. */
const clusterRules = '+cluster|slots +cluster|info';

/** A user that may do what docs/redis.md gives, but for the token-refresher, with the prefixes of tests. */
export const translatorUser = {
  /** A line of a Redis configuration. */
  configLine: ({ inCluster = false } = {}): string =>
    `user ${username} on >${password} ${rules}${inCluster ? ` ${clusterRules}` : ''}`,
  /** Variables of the product. */
  env: { REDIS_USERNAME: username, REDIS_PASSWORD: password },
} as const;
