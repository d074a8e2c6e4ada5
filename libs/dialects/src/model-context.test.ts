import { expect, it } from '@jest/globals';
import { contextTokensOf } from './model-context.ts';
import { builtInModels } from './models.ts';

it.each([
  ['glm-5.3', 1_000_000],
  ['GLM-5.3-Flash', 1_000_000],
  ['glm-5.2-thinking', 200_000],
  ['glm-5', 200_000],
  ['glm-5v-turbo', 200_000],
  ['glm-4.7-flash', 200_000],
  ['glm-4.6', 200_000],
  ['glm-4.6v-flash', 128_000],
  ['glm-4.5v', 64_000],
  ['glm-4.5-air', 128_000],
  ['z1-32b', undefined],
  ['claude-sonnet-5', undefined],
])('%s takes %p tokens', (id, tokens) => {
  expect(contextTokensOf(id)).toBe(tokens);
});

it('knows every model that is listed', () => {
  const unknown = builtInModels.filter(({ id, hidden }) => !hidden && contextTokensOf(id) === undefined);
  expect(unknown.map(({ id }) => id)).toEqual([]);
});
