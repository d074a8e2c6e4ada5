import { describe, expect, it } from '@jest/globals';
import { translatorProcessSettings } from '@zai2api/chat-translator';
import { gatewayProcessSettings } from '@zai2api/gateway';
import { ConfigError, type SettingsShape } from '@zai2api/runtime';
import { refresherProcessSettings } from '@zai2api/token-refresher';
import { loadStandaloneSettings, standaloneSettings } from './config.ts';

describe('a variable that several services read', () => {
  it('is declared once: the services do not disagree about its values', () => {
    const shapes: SettingsShape[] = [gatewayProcessSettings, translatorProcessSettings, refresherProcessSettings];
    const declarations = shapes.flatMap((shape) => Object.entries(shape));
    const declaredTwice = declarations.filter(
      ([name, schema]) => (standaloneSettings as SettingsShape)[name] !== schema,
    );
    expect(declaredTwice.map(([name]) => name)).toEqual([]);
  });

  it.each([
    ['ZAI_REQUEST_TIMEOUT', '0'],
    ['ZAI_MAX_BODY_BYTES', '1'],
  ])('%s: %s is refused by all of them', (name, value) => {
    expect(() => loadStandaloneSettings({ [name]: value })).toThrow(`${name}: expected`);
  });
});

describe('rules for keys', () => {
  it('are read where the keys have these names', () => {
    const settings = loadStandaloneSettings({
      ZAI_API_KEY: 'team-a sk-1, team-b sk-2, sk-3',
      ZAI_MODEL_ALIASES: 'gpt-4o=glm-5, TEAM-A gpt-4o=glm-4.7',
      ZAI_MODEL_FALLBACKS: 'team-b glm-5=glm-4.6',
    });
    expect(settings.ZAI_MODEL_ALIASES).toEqual([
      { pattern: 'gpt-4o', models: ['glm-5'] },
      { keyName: 'team-a', pattern: 'gpt-4o', models: ['glm-4.7'] },
    ]);
  });

  it('are refused where they do not, each by its setting', () => {
    const load = (): unknown =>
      loadStandaloneSettings({
        ZAI_API_KEY: 'team-a sk-secret',
        ZAI_MODEL_ALIASES: 'team-a a=b, team-x a=b, team-x c=d',
        ZAI_MODEL_FALLBACKS: 'team-y a=b',
      });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(
      /has 2 faults:\nZAI_MODEL_ALIASES: no key in ZAI_API_KEY has the name "team-x"\nZAI_MODEL_FALLBACKS: .*"team-y"$/,
    );
  });
});
