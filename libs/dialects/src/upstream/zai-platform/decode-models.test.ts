import { describe, expect, it } from '@jest/globals';
import { decodeModels } from './decode-models.ts';
import { builtInPlatformModels, platformModel, platformTraits } from './platform-models.ts';

describe('the model list', () => {
  it('has what the upstream lists, and the vision models that it leaves out', () => {
    const models = decodeModels({
      object: 'list',
      data: [{ id: 'glm-5.3' }, { id: 'GLM-4.6V' }, { id: 'glm-9' }, {}, null],
    });
    const ids = models.map(({ upstreamId }) => upstreamId);
    expect(ids.slice(0, 3)).toEqual(['glm-5.3', 'GLM-4.6V', 'glm-9']);
    expect(ids).toContain('glm-4.5v');
    expect(ids).not.toContain('glm-4.6v');
    expect(ids).not.toContain('glm-4.7');
    expect(models.every(({ id }) => id === id.toLowerCase())).toBe(true);
  });

  it.each([[{}], [{ data: [] }], ['page'], [{ data: [{ name: 'x' }] }]])('is not in %j', (body) => {
    expect(() => decodeModels(body)).toThrow('unknown shape');
  });
});

describe('what a model takes', () => {
  it('is known of every listed one', () => {
    expect(builtInPlatformModels.length).toBeGreaterThanOrEqual(20);
    expect(new Set(builtInPlatformModels.map(({ id }) => id)).size).toBe(builtInPlatformModels.length);
    // The ones that no rule of names gives away.
    for (const id of ['autoglm-phone-multilingual', 'glm-5.3-flashx', 'glm-5v-turbo'])
      expect(platformModel(id).capabilities).toMatchObject({ vision: true, webSearch: false });
    expect(platformModel('glm-5.3-flash')).toMatchObject({
      id: 'glm-5.3-flash',
      name: 'GLM-5.3-Flash',
      capabilities: { vision: true, thinking: true, reasoningEffort: true, webSearch: false },
      maxOutputTokens: 131_072,
    });
  });

  it('is guessed of one that came later', () => {
    expect(platformTraits('glm-6.1')).toMatchObject({ thinking: 'always', vision: false });
    expect(platformTraits('glm-6v')).toMatchObject({ thinking: 'always', vision: true });
    expect(platformTraits('glm-4.8-air')).toMatchObject({ thinking: 'optional', effort: 'none' });
    expect(platformTraits('autoglm-phone-9b')).toMatchObject({ vision: true });
    expect(platformTraits('something')).toMatchObject({ thinking: 'optional', vision: false });
  });
});
