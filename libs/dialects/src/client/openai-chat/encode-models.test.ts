import { describe, expect, it } from '@jest/globals';
import { builtInModels, expandModels } from '../../models.ts';
import { encodeOpenAiModel, encodeOpenAiModelList } from './encode-models.ts';

describe('the model list', () => {
  it('is empty without models', () => {
    expect(encodeOpenAiModelList([])).toEqual({ object: 'list', data: [] });
  });

  it('tells no upstream id', () => {
    const text = JSON.stringify(encodeOpenAiModelList(builtInModels));
    expect(text).not.toContain('0727-360B-API');
    expect(text).not.toContain('upstream');
  });

  it('shows a model as official clients know it, with extra keys', () => {
    const model = expandModels(builtInModels).find(({ id }) => id === 'glm-4.5v')!;
    expect(encodeOpenAiModel({ ...model, contextTokens: 64_000 })).toEqual({
      id: 'glm-4.5v',
      object: 'model',
      created: 1_754_006_400,
      owned_by: 'z-ai',
      name: 'GLM-4.5V',
      capabilities: { vision: true, thinking: true, reasoning_effort: false, web_search: false },
      max_output_tokens: 16_000,
      context_length: 64_000,
    });
  });
});
