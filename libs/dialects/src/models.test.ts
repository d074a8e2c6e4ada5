import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  builtInModels,
  expandModels,
  MAX_SUFFIXES,
  publicModelName,
  resolveModel,
  shownModelName,
  type UpstreamModel,
} from './models.ts';

const model = (upstreamId: string, name: string, changes: Partial<UpstreamModel> = {}): UpstreamModel => ({
  upstreamId,
  id: publicModelName(upstreamId, name),
  name,
  createdAtSeconds: 1_750_000_000,
  ownedBy: 'z-ai',
  capabilities: { vision: false, thinking: true, reasoningEffort: false, webSearch: true },
  hidden: false,
  ...changes,
});

describe('suffixes', () => {
  const glm5 = model('glm-5', 'GLM-5');

  it.each([
    ['glm-5', {}],
    ['glm-5-thinking', { thinking: true }],
    ['glm-5-nothinking', { thinking: false }],
    ['glm-5-search', { search: true }],
    ['GLM-5-Search-THINKING', { thinking: true, search: true }],
    ['glm-5-thinking-search', { thinking: true, search: true }],
    ['glm-5-thinking-nothinking', { thinking: false }],
    ['glm-5-thinking-raw', { thinking: true, rendering: 'raw' }],
  ])('%s asks for what it says', (name, expected) => {
    expect(resolveModel([glm5], name)).toEqual({ model: glm5, ...expected });
  });

  it.each(['-thinking', '', 'glm-5thinking'])('%p is no model', (name) => {
    expect(resolveModel([glm5], name)).toBeUndefined();
  });

  it('are taken off up to a bound', () => {
    const read: string[] = [];
    const counted = {
      ...glm5,
      get upstreamId() {
        read.push('name');
        return 'glm-5';
      },
    };
    expect(resolveModel([glm5], `glm-5${'-think'.repeat(MAX_SUFFIXES)}`)?.model).toBe(glm5);
    expect(resolveModel([counted], `glm-5${'-think'.repeat(20_000)}`)).toBeUndefined();
    expect(read.length).toBeLessThan(10 * MAX_SUFFIXES);
  });

  it('are taken off in whatever order', () => {
    const suffix = fc.constantFrom('-thinking', '-nothinking', '-search', '-SEARCH', '-pure');
    fc.assert(
      fc.property(fc.array(suffix, { maxLength: MAX_SUFFIXES }), (list) => {
        expect(resolveModel([glm5], `glm-5${list.join('')}`)?.model).toBe(glm5);
      }),
    );
  });
});

describe('names of models', () => {
  it.each([
    ['0727-360B-API', 'GLM-4.5', 'GLM-4.5', 'glm-4.5'],
    ['GLM-4-6-API-V1', 'GLM-4.6', 'GLM-4.6', 'glm-4.6'],
    ['x-preview-l', 'GLM-5.3-Flash', 'GLM-5.3-Flash', 'glm-5.3-flash'],
    ['0808-360B-DR', ' GLM-4.5 deep research ', 'GLM-4.5 deep research', 'glm-4.5-deep-research'],
    ['GLM-5.1', '智谱', 'GLM-5.1', 'glm-5.1'],
    ['zero', '', 'zero', 'zero'],
    ['main-chat-v1', '模型', 'MAIN-Chat-V1', 'main-chat-v1'],
  ])('%s, called %s', (upstreamId, upstreamName, shown, publicId) => {
    expect(shownModelName(upstreamId, upstreamName)).toBe(shown);
    expect(publicModelName(upstreamId, upstreamName)).toBe(publicId);
  });
});

describe('resolveModel', () => {
  const find = (name: string, models: readonly UpstreamModel[] = builtInModels) => {
    const found = resolveModel(models, name);
    return found && { id: found.model.upstreamId, thinking: found.thinking, search: found.search };
  };

  it.each(['gpt-4o', '', '-search', 'glm-4.5-tools', 'glm'])('does not know %p', (name) => {
    expect(find(name)).toBeUndefined();
  });

  it.each([
    ['0727-360b-api', '0727-360B-API', undefined, undefined],
    ['glm-4.5', '0727-360B-API', undefined, undefined],
    [' GLM-4.6 ', 'GLM-4-6-API-V1', undefined, undefined],
    ['GLM-5.3-Flash-search', 'x-preview-l', undefined, true],
    ['glm-5-search-nothinking', 'glm-5', false, true],
    ['GLM-4.1V-Thinking-FlashX', 'GLM-4.1V-Thinking-FlashX', undefined, undefined],
    ['glm-4.1v-9b-thinking', 'GLM-4.1V-Thinking-FlashX', undefined, undefined],
    ['glm-4.1v-9b-thinking-nothinking', 'GLM-4.1V-Thinking-FlashX', false, undefined],
    ['glm-4', 'glm-4.5v', undefined, undefined],
    ['GLM45-thinking', 'glm-4.5v', true, undefined],
  ])('%s is %s', (name, id, thinking, search) => {
    expect(find(name)).toEqual({ id, thinking, search });
  });

  it('prefers a real model to a legacy alias, and the upstream id to a public one', () => {
    const models = [
      model('a', 'GLM-5'),
      model('glm-5', 'GLM-5 new'),
      model('b', 'GLM-4'),
      model('glm-4.5v', 'GLM-4.5V'),
    ];
    expect(find('glm-5', models)?.id).toBe('glm-5');
    expect(find('glm-4', models)?.id).toBe('b');
    expect(find('glm-4.5', models)?.id).toBe('glm-4.5v');
  });

  it('keeps two upstream ids apart that differ in case only', () => {
    const models = [model('GLM-9', 'First'), model('glm-9', 'Second')];
    expect(find('glm-9', models)?.id).toBe('glm-9');
    expect(find('GLM-9', models)?.id).toBe('GLM-9');
  });
});

describe('expandModels', () => {
  it('lists no hidden model, no variant that a model cannot do, and no upstream id', () => {
    const list = expandModels([
      model('up-1', 'GLM-A'),
      model('up-2', 'GLM-B', {
        capabilities: { vision: false, thinking: false, reasoningEffort: false, webSearch: false },
      }),
      model('up-3', 'GLM-C', { hidden: true }),
    ]);
    expect(list.map(({ id }) => id)).toEqual(['glm-a', 'glm-a-thinking', 'glm-a-nothinking', 'glm-a-search', 'glm-b']);
    expect(Object.keys(list[0]!)).not.toContain('upstreamId');
  });

  it('never lists an id twice, and a real model before a variant', () => {
    const list = expandModels([model('a', 'GLM-A'), model('b', 'GLM-A-Search'), model('c', 'GLM-A')]);
    expect(list.filter(({ id }) => id === 'glm-a')).toHaveLength(1);
    expect(list.find(({ id }) => id === 'glm-a-search')?.name).toBe('GLM-A-Search');
  });

  it('lists only names that resolve to what they say', () => {
    for (const { id } of expandModels(builtInModels)) {
      const base = id.replace(/-(?:thinking|nothinking|search)$/, '');
      const resolved = resolveModel(builtInModels, id);
      expect(resolved).toMatchObject({ model: { id: base } });
      expect(resolved?.thinking).toBe(id.endsWith('-nothinking') ? false : id.endsWith('-thinking') || undefined);
      expect(resolved?.search).toBe(id.endsWith('-search') || undefined);
    }
  });
});

describe('builtInModels', () => {
  it('has unique ids, whole dates and a name each', () => {
    expect(new Set(builtInModels.map(({ id }) => id)).size).toBe(builtInModels.length);
    for (const { createdAtSeconds, name } of builtInModels) {
      expect(Number.isInteger(createdAtSeconds)).toBe(true);
      expect(name).not.toBe('');
    }
  });
});
