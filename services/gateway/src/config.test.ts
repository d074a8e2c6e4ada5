import { ConfigError, parseSettings } from '@zai2api/runtime';
import { describe, expect, it } from '@jest/globals';
import { gatewaySettings, loadGatewaySettings, resolveGatewaySettings } from './config.ts';

const resolve = (env: Record<string, string>) => resolveGatewaySettings(parseSettings(gatewaySettings, env));

describe('who may call, and from where', () => {
  it.each([
    ['nothing is set', {}, '127.0.0.1', 0, 'loopback'],
    ['a key is set', { ZAI_API_KEY: 'a' }, '0.0.0.0', 1, undefined],
    ['several keys are set', { ZAI_API_KEY: ' a, b,' }, '0.0.0.0', 2, undefined],
    ['keys are required', { ZAI_API_KEY: 'a', ZAI_API_KEY_ENABLED: 'true' }, '0.0.0.0', 1, undefined],
    ['keys are switched off', { ZAI_API_KEY_ENABLED: 'false' }, '0.0.0.0', 0, 'everybody'],
    [
      'a key is set and keys are switched off',
      { ZAI_API_KEY: 'a', ZAI_API_KEY_ENABLED: 'off' },
      '0.0.0.0',
      0,
      'everybody',
    ],
    ['the address is loopback', { ZAI_HOST: 'localhost' }, 'localhost', 0, 'loopback'],
    ['the address is given with a key', { ZAI_HOST: '10.0.0.1', ZAI_API_KEY: 'a' }, '10.0.0.1', 1, undefined],
    [
      'a container is published on loopback',
      { ZAI_HOST: '0.0.0.0', ZAI_PUBLISHED_HOSTS: '127.0.0.1,127.0.0.1' },
      '0.0.0.0',
      0,
      'loopback',
    ],
    [
      'a container is published with a key',
      { ZAI_HOST: '0.0.0.0', ZAI_PUBLISHED_HOSTS: '127.0.0.1,0.0.0.0', ZAI_API_KEY: 'a' },
      '0.0.0.0',
      1,
      undefined,
    ],
    ['the address is public and open', { ZAI_HOST: '::', ZAI_API_KEY_ENABLED: 'false' }, '::', 0, 'everybody'],
  ])('when %s', (_case, env, host, keyCount, notice) => {
    const settings = resolve(env);
    expect(settings.host).toBe(host);
    expect(settings.keys).toHaveLength(keyCount);
    if (notice === undefined) expect(settings.openNotice).toBeUndefined();
    else expect(settings.openNotice).toContain(notice);
  });

  it.each([
    ['required keys without a key', { ZAI_API_KEY_ENABLED: 'true' }, 'ZAI_API_KEY_ENABLED'],
    ['required keys with an empty list', { ZAI_API_KEY_ENABLED: '1', ZAI_API_KEY: ' , ' }, 'ZAI_API_KEY_ENABLED'],
    ['a public address that nobody opened', { ZAI_HOST: '0.0.0.0' }, 'ZAI_HOST'],
    [
      'a container that nobody opened and a proxy publishes',
      { ZAI_HOST: '0.0.0.0', ZAI_PUBLISHED_HOSTS: '127.0.0.1,192.0.2.1' },
      'ZAI_HOST: 192.0.2.1',
    ],
    ['a public address with an empty list of keys', { ZAI_HOST: '::', ZAI_API_KEY: ',' }, 'ZAI_HOST'],
  ])('refuses %s', (_case, env, variable) => {
    expect(() => resolve(env as Record<string, string>)).toThrow(ConfigError);
    expect(() => resolve(env as Record<string, string>)).toThrow(variable);
  });
});

describe('loadGatewaySettings', () => {
  it('has the promised defaults', () => {
    const { gateway, runtime } = loadGatewaySettings({});
    expect(gateway).toEqual({
      webSockets: { isEnabled: true, maxConnections: 1000 },
      host: '127.0.0.1',
      isLoopback: true,
      port: 8080,
      keys: [],
      openNotice: expect.stringContaining('loopback'),
      corsOrigins: ['*'],
      maxBodyBytes: 33_554_432,
      concurrency: { limit: 100, limitPerKey: 0, queueSize: 1000, queueTimeoutMs: 10_000 },
      requestsPerMinute: 0,
      translatorUrls: ['http://127.0.0.1:8081'],
      logsRequests: true,
    });
    expect(runtime.ZAI_ADMIN_PORT).toBe(9464);
  });
});
