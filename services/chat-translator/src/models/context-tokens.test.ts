import { describe, expect, it } from '@jest/globals';
import { contextOf, contextTokensSetting } from './context-tokens.ts';

const model = { id: 'glm-4.6', upstreamId: 'GLM-4-6-API-V1' };
const rulesOf = (text: string) => contextTokensSetting.parse(text);

describe('ZAI_CONTEXT_TOKENS', () => {
  it.each<[string, number | undefined]>([
    ['', 200_000],
    ['glm-5=1', 200_000],
    ['glm-4.6=50000', 50_000],
    ['GLM-4*=50000, glm-4.6=1', 50_000],
    ['glm-4-6-api-v1 = 7', 7],
    ['*=0', undefined],
  ])('%j makes it %p', (text, tokens) => {
    expect(contextOf(rulesOf(text), model)).toBe(tokens);
  });

  it.each(['glm-5', 'glm-5=', '=5', 'glm-5=many', 'glm 5=1', 'glm-5=-1', 'glm-5=1.5', 'glm-5=1000000000'])(
    'refuses %j',
    (text) => {
      expect(() => rulesOf(text)).toThrow('expected name=tokens');
    },
  );
});
