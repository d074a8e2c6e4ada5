import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-error.ts';
import { parseSettings } from './parse-settings.ts';
import { runtimeSettings } from './runtime-settings.ts';
import { Secret } from './secret.ts';
import { setting } from './setting.ts';
import { webUpstreamSettings } from './web-upstream-settings.ts';

const shape = {
  PORT: setting.integer({ default: 8080, max: 65_535, description: 'port' }),
  WAIT: setting.seconds({ default: 1.5, description: 'wait' }),
  KEY: setting.secret({ description: 'key' }),
  OPEN: setting.boolean({ default: false, description: 'open' }),
  MAYBE: setting.optionalBoolean({ description: 'maybe' }),
  BASE: setting.url({ default: 'https://example.test', description: 'base' }),
  NAMES: setting.list({ default: ['*'], description: 'names' }),
  MODE: setting.choice({ values: ['think', 'pure'], default: 'think', description: 'mode' }),
};

function faultsOf(env: Record<string, string>): string[] {
  try {
    parseSettings(shape, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('parseSettings', () => {
  it('lists every fault at once, each with its variable and what was expected', () => {
    const env = { PORT: 'abc', WAIT: '-1', OPEN: 'maybe', BASE: 'localhost:1', MODE: 'loud' };
    expect(faultsOf(env)).toEqual([
      'PORT: expected an integer from 0 to 65535, got "abc"',
      'WAIT: expected seconds from 0 to 86400, got "-1"',
      'OPEN: expected true or false (also 1, yes, on, 0, no, off), got "maybe"',
      'BASE: expected an http or https URL, got "localhost:1"',
      'MODE: expected one of think, pure, got "loud"',
    ]);
  });

  it.each(['65536', '1.5', '1e3', '0x10', '99999999999999999999'])('refuses %s as a port', (PORT) => {
    expect(faultsOf({ PORT })).toHaveLength(1);
  });

  it('does not print a URL with a password', () => {
    expect(faultsOf({ BASE: 'ftp://me:hunter2@host' })).toEqual(['BASE: expected an http or https URL']);
  });

  it('takes the default for an unset and for an empty variable', () => {
    const expected = { PORT: 8080, WAIT: 1.5, OPEN: false, BASE: 'https://example.test', NAMES: ['*'], MODE: 'think' };
    expect(parseSettings(shape, {})).toMatchObject(expected);
    const empty = Object.fromEntries(Object.keys(shape).map((name) => [name, ' ']));
    expect(parseSettings(shape, empty)).toMatchObject({ ...expected, KEY: undefined, MAYBE: undefined });
  });

  it('reads each kind', () => {
    const env = {
      PORT: '0',
      WAIT: '0.25',
      OPEN: 'YES',
      MAYBE: 'off',
      BASE: 'http://h:1/x//',
      NAMES: ' a, ,b ',
      MODE: 'Pure',
    };
    expect(parseSettings(shape, env)).toMatchObject({
      PORT: 0,
      WAIT: 0.25,
      OPEN: true,
      MAYBE: false,
      BASE: 'http://h:1/x',
      NAMES: ['a', 'b'],
      MODE: 'pure',
    });
  });

  it('gives a frozen object whose secrets show themselves only when asked', () => {
    const settings = parseSettings(shape, { KEY: 'sk-very-secret' });
    expect(Object.isFrozen(settings)).toBe(true);
    expect(settings.KEY?.reveal()).toBe('sk-very-secret');
    const shown = `${inspect(settings)} ${JSON.stringify(settings)} ${String(settings.KEY)} ${inspect(new Error('x', { cause: settings }))}`;
    expect(shown).not.toContain('sk-very-secret');
    expect(shown).toContain('[redacted]');
  });

  it('carries what the documentation needs', () => {
    expect(shape.PORT.meta()).toMatchObject({ description: 'port', defaultText: '8080', secret: false });
    expect(shape.KEY.meta()).toMatchObject({ defaultText: 'unset', secret: true });
  });
});

describe('the common shapes', () => {
  it('understand the values of earlier releases', () => {
    const env = { ZAI_LOG_LEVEL: 'WARNING', ZAI_LOG_FORMAT: '%(asctime)s - %(name)s - %(levelname)s - %(message)s' };
    expect(parseSettings(runtimeSettings, env)).toMatchObject({
      ZAI_LOG_LEVEL: 'warn',
      ZAI_LOG_FORMAT: 'text',
      ZAI_ADMIN_PORT: 9464,
    });
  });

  it('hold the signing secret as a secret', () => {
    const settings = parseSettings(webUpstreamSettings, {});
    expect(settings.ZAI_SIGNING_SECRET).toBeInstanceOf(Secret);
    expect(Buffer.from(settings.ZAI_SIGNING_SECRET.reveal()).toString('hex')).toBe(
      '6b65792d40404040292929282928283929292d787878782626262525252525',
    );
  });
});
