import { describe, expect, it } from '@jest/globals';
import { builtInModels, expandModels, type ModelInfo } from '../../models.ts';
import { listClaudeNames, withoutClaude } from './claude-names.ts';
import { encodeAnthropicModel, encodeAnthropicModelPage, type PageWish } from './encode-models.ts';

const model = (id: string): ModelInfo => ({
  id,
  name: id.toUpperCase(),
  createdAtSeconds: 1_764_547_200,
  ownedBy: 'z-ai',
  capabilities: { vision: false, thinking: true, reasoningEffort: false, webSearch: true },
});
const letters = ['a', 'b', 'c', 'd', 'e'].map(model);
const pageOf = (wish: PageWish) => {
  const { data, ...page } = encodeAnthropicModelPage(letters, wish);
  return { ids: data.map(({ id }) => id).join(''), ...page };
};

describe('a page of models', () => {
  it.each<[PageWish, string, boolean]>([
    [{ limit: 2 }, 'ab', true],
    [{ limit: 5 }, 'abcde', false],
    [{ limit: 1000 }, 'abcde', false],
    [{ limit: 2, afterId: 'b' }, 'cd', true],
    [{ limit: 2, afterId: 'c' }, 'de', false],
    [{ limit: 2, afterId: 'e' }, '', false],
    [{ limit: 2, afterId: 'unknown' }, '', false],
    [{ limit: 2, beforeId: 'd' }, 'bc', true],
    [{ limit: 2, beforeId: 'c' }, 'ab', false],
    [{ limit: 2, beforeId: 'a' }, '', false],
    [{ limit: 2, beforeId: 'unknown' }, '', false],
  ])('%j is %s', (wish, ids, hasMore) => {
    expect(pageOf(wish)).toEqual({
      ids,
      has_more: hasMore,
      first_id: ids.at(0) ?? null,
      last_id: ids.at(-1) ?? null,
    });
  });
});

it('H01: a model has every key that clients know', () => {
  expect(encodeAnthropicModel({ ...model('glm-5'), maxOutputTokens: 32_000, contextTokens: 200_000 })).toEqual({
    type: 'model',
    id: 'glm-5',
    display_name: 'GLM-5',
    created_at: '2025-12-01T00:00:00Z',
    max_input_tokens: 200_000,
    max_tokens: 32_000,
    capabilities: null,
    lifecycle: 'active',
    line: null,
    deprecated_at: null,
    retires_at: null,
  });
  expect(encodeAnthropicModel(model('of-others'))).toMatchObject({ max_input_tokens: null, max_tokens: null });
});

describe('names for clients that take no others', () => {
  it('begin with claude', () => {
    const names = listClaudeNames([...expandModels(builtInModels), model('claude-x'), model('anthropic/y')]);
    expect(names.map(({ id }) => id)).toContain('claude-glm-5');
    for (const { id } of names) expect(id).toMatch(/^claude-(?!claude)/);
    expect(names.some(({ id }) => id.includes('anthropic'))).toBe(false);
  });

  it.each([
    ['claude-glm-5', 'glm-5'],
    ['Claude-GLM-5', 'GLM-5'],
    ['claude', undefined],
    ['glm-5', undefined],
  ])('%s stands for %s', (name, behind) => {
    expect(withoutClaude(name)).toBe(behind);
  });
});
