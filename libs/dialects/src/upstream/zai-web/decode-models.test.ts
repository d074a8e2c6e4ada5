import { describe, expect, it } from '@jest/globals';
import { decodeModels } from './decode-models.ts';

const entry = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: '0727-360B-API',
  name: 'GLM-4.5',
  created: 1_766_026_365.5,
  info: {
    is_active: true,
    created_at: 5,
    params: { max_tokens: 80_000 },
    meta: { hidden: false, capabilities: { think: true, web_search: true, vision: false, reasoning_effort: false } },
  },
  ...changes,
});

describe('decodeModels', () => {
  it('reads what clients and drivers ask for', () => {
    expect(decodeModels({ data: [entry()] })).toEqual([
      {
        id: 'glm-4.5',
        upstreamId: '0727-360B-API',
        name: 'GLM-4.5',
        createdAtSeconds: 1_766_026_365,
        ownedBy: 'z-ai',
        hidden: false,
        maxOutputTokens: 80_000,
        capabilities: { vision: false, thinking: true, reasoningEffort: false, webSearch: true },
      },
    ]);
  });

  it('leaves out inactive models and marks hidden ones', () => {
    const list = [
      entry({ id: 'off', name: 'off', info: { is_active: false } }),
      entry({ id: 'secret', name: 'Secret', info: { meta: { hidden: true } } }),
    ];
    expect(decodeModels({ data: list })).toEqual([expect.objectContaining({ upstreamId: 'secret', hidden: true })]);
  });

  it('passes over entries that are no models', () => {
    const list = [null, 7, 'glm', [], {}, { id: '' }, { id: 7 }, entry()];
    expect(decodeModels({ data: list })).toHaveLength(1);
  });

  it('takes a model that says nothing but its id as able to nothing', () => {
    expect(decodeModels({ data: [{ id: 'glm-9' }] })).toEqual([
      {
        id: 'glm-9',
        upstreamId: 'glm-9',
        name: 'glm-9',
        createdAtSeconds: 0,
        ownedBy: 'z-ai',
        hidden: false,
        maxOutputTokens: undefined,
        capabilities: { vision: false, thinking: false, reasoningEffort: false, webSearch: false },
      },
    ]);
  });

  it.each([
    ['a page', '<!doctype html>'],
    ['null', null],
    ['a bare list', [entry()]],
    ['an empty list', { data: [] }],
    ['a list of nothing known', { data: [null, {}] }],
    ['inactive models alone', { data: [entry({ info: { is_active: false } })] }],
    ['an error', { detail: 'Not Found' }],
  ])('answers upstream_drifted for %s', (_name, body) => {
    expect(() => decodeModels(body)).toThrow(expect.objectContaining({ code: 'upstream_drifted' }));
  });
});
