import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '@zai2api/runtime';
import fc from 'fast-check';
import { matchesPattern } from './match-pattern.ts';
import {
  applyRules,
  modelAliasesSetting,
  modelFallbacksSetting,
  parseModelRule,
  rulesFor,
  splitUpstream,
} from './model-names.ts';

describe('a rule', () => {
  it.each([
    ['gpt-4o=glm-5', { pattern: 'gpt-4o', models: ['glm-5'] }],
    ['Claude-*-Haiku* = glm-4.7', { pattern: 'claude-*-haiku*', models: ['glm-4.7'] }],
    ['glm-5 = glm-4.7@web | GLM-4.6', { pattern: 'glm-5', models: ['glm-4.7@web', 'GLM-4.6'] }],
    ['glm-5', undefined],
    ['=glm-5', undefined],
    ['a=', undefined],
    ['a=b|', undefined],
    ['a=b c', undefined],
    ['a=glm-*', undefined],
    ['a=b=c', undefined],
    ['Team-A GPT-4o=glm-5', { keyName: 'team-a', pattern: 'gpt-4o', models: ['glm-5'] }],
    ['llama3:8b=glm-5', { pattern: 'llama3:8b', models: ['glm-5'] }],
    ['team a gpt-4o=glm-5', undefined],
    ['te*m gpt-4o=glm-5', undefined],
  ])('%s', (text, rule) => {
    expect(parseModelRule(text)).toEqual(rule);
  });

  it('that is faulty is told with all others, and an alias has one model', () => {
    const shape = { ZAI_MODEL_ALIASES: modelAliasesSetting, ZAI_MODEL_FALLBACKS: modelFallbacksSetting };
    expect(parseSettings(shape, { ZAI_MODEL_FALLBACKS: 'a=b|c' }).ZAI_MODEL_FALLBACKS).toHaveLength(1);
    const parse = (): unknown => parseSettings(shape, { ZAI_MODEL_ALIASES: 'x, a=b|c', ZAI_MODEL_FALLBACKS: 'y' });
    expect(parse).toThrow(/ZAI_MODEL_ALIASES: .*got "x"[^]*got "a=b\|c"[^]*ZAI_MODEL_FALLBACKS: .*got "y"/);
  });

  it('counts when it is the first that fits', () => {
    const rules = ['claude-*-haiku*=small', 'claude-*=big', 'gpt-4o=other'].map((text) => parseModelRule(text)!);
    expect(applyRules(rules, 'Claude-3-5-Haiku-20241022')).toEqual(['small']);
    expect(applyRules(rules, 'claude-opus-4')).toEqual(['big']);
    expect(applyRules(rules, 'gpt-4o-mini')).toEqual([]);
  });
});

describe('the rules of a key', () => {
  const rules = ['gpt-*=all', 'team-a gpt-4o=a', 'team-b *=b', 'other=all'].map((text) => parseModelRule(text)!);
  it.each([
    [undefined, 'gpt-4o', ['all']],
    ['team-a', 'gpt-4o', ['a']],
    ['team-a', 'gpt-5', ['all']],
    ['team-b', 'other', ['b']],
    ['team-c', 'nothing', []],
  ])('%s asks for %s', (keyName, name, models) => {
    expect(applyRules(rulesFor(rules, keyName), name)).toEqual(models);
  });
});

describe('a pattern', () => {
  it('means what the same regular expression means', () => {
    const piece = fc.constantFrom('a', 'b', '*', '.', '-');
    const text = fc.array(fc.constantFrom('a', 'b', '.', '-'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), text, (pieces, name) => {
        const expression = new RegExp(
          `^${pieces.map((each) => (each === '*' ? '.*' : each.replace('.', '\\.'))).join('')}$`,
        );
        expect(matchesPattern(pieces.join(''), name)).toBe(expression.test(name));
      }),
    );
  });
});

describe('the upstream in a name', () => {
  it.each([
    ['glm-4.7@web', { name: 'glm-4.7', upstream: 'web' }],
    ['glm-4.7@WEB', { name: 'glm-4.7', upstream: 'web' }],
    ['glm-4.7@nobody', { name: 'glm-4.7@nobody' }],
    ['a@b@platform', { name: 'a@b', upstream: 'platform' }],
    ['@web', { name: '', upstream: 'web' }],
  ])('%s', (name, expected) => {
    expect(splitUpstream(name, ['platform', 'web'])).toEqual(expected);
  });
});
