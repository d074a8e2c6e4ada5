import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../config/config-error.ts';
import { parseSettings } from '../config/parse-settings.ts';
import { redisAddressOf, type RedisAddress } from './redis-address.ts';
import { isRedisConfigured, redisSettings } from './redis-settings.ts';

const addressOf = (env: Record<string, string>): RedisAddress => redisAddressOf(parseSettings(redisSettings, env));

function faultsOf(env: Record<string, string>): string[] {
  try {
    addressOf(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('redisAddressOf', () => {
  it.each([
    ['redis://localhost', { node: { host: 'localhost', port: 6379 }, database: 0, usesTls: false }],
    ['rediss://redis.example:6390/3', { node: { host: 'redis.example', port: 6390 }, database: 3, usesTls: true }],
    ['redis://me:p%40ss@[::1]:1/', { node: { host: '::1', port: 1 }, username: 'me', password: 'p@ss' }],
    ['redis://:secret@10.0.0.1', { username: undefined, password: 'secret' }],
  ])('reads %s', (url, expected) => {
    expect(addressOf({ REDIS_URL: url })).toMatchObject({ kind: 'single', ...expected });
  });

  it('takes user, password and TLS from their variables before the URL', () => {
    const env = { REDIS_URL: 'redis://me:old@host', REDIS_USERNAME: 'you', REDIS_PASSWORD: 'new', REDIS_TLS: 'true' };
    expect(addressOf(env)).toMatchObject({ username: 'you', password: 'new', usesTls: true });
  });

  it('reads Sentinels and Cluster nodes', () => {
    expect(addressOf({ REDIS_SENTINELS: 'a, b:1', REDIS_SENTINEL_NAME: 'main' })).toMatchObject({
      kind: 'sentinel',
      name: 'main',
      sentinels: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 1 },
      ],
    });
    expect(addressOf({ REDIS_CLUSTER_NODES: 'a:7000,[::1]:7001' })).toMatchObject({
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: '::1', port: 7001 },
      ],
    });
  });

  it('names everything that is wrong at once, and shows no secret', () => {
    const faults = faultsOf({
      REDIS_URL: 'http://me:open-sesame@host',
      REDIS_SENTINELS: 'me:open-sesame@host:1',
      REDIS_KEY_PREFIX: '{zai}',
      REDIS_TLS_CERT_FILE: '/certificate',
    }).join('\n');
    for (const name of ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_KEY_PREFIX', 'REDIS_TLS_KEY_FILE']) {
      expect(faults).toContain(name);
    }
    expect(faults).not.toContain('open-sesame');
  });

  it.each(['redis://host/x', 'redis://', 'unix:/socket', 'host:6379'])('refuses %s', (url) => {
    expect(faultsOf({ REDIS_URL: url })).toHaveLength(1);
  });

  it('is asked only when there is a Redis', () => {
    expect(isRedisConfigured(parseSettings(redisSettings, {}))).toBe(false);
    expect(isRedisConfigured(parseSettings(redisSettings, { REDIS_CLUSTER_NODES: 'a' }))).toBe(true);
    expect(faultsOf({})).toHaveLength(1);
  });
});
