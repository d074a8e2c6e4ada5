import { describe, expect, it } from '@jest/globals';
import { ConfigError, Secret } from '@zai2api/runtime';
import { readApiKeys } from './api-keys.ts';

const read = (text: string): [string | undefined, string][] =>
  readApiKeys(new Secret(text)).map(({ name, key }) => [name, key.reveal()]);

describe('the API keys', () => {
  it.each<[string, [string | undefined, string][]]>([
    ['', []],
    [' , ', []],
    ['sk-1', [[undefined, 'sk-1']]],
    [
      ' a:b=c== ,d@e#f',
      [
        [undefined, 'a:b=c=='],
        [undefined, 'd@e#f'],
      ],
    ],
    [
      'Team-A  sk-1,team-a sk-2, sk-3',
      [
        ['team-a', 'sk-1'],
        ['team-a', 'sk-2'],
        [undefined, 'sk-3'],
      ],
    ],
  ])('%j', (text, keys) => {
    expect(read(text)).toEqual(keys);
  });

  it.each(['geheimß', 'sk-geheim\u0007', 'geheim sk-1 sk-2', 'ge/heim sk-1', `${'geheim'.repeat(6)} sk-1`])(
    'refuses %j without telling it',
    (text) => {
      const reading = (): unknown => read(`ok sk-0, ${text}`);
      expect(reading).toThrow(ConfigError);
      expect(reading).toThrow(/ZAI_API_KEY: item 2 (?!.*geheim)(?!.*sk-)/);
    },
  );
});
