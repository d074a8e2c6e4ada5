import { contextTokensOf, type UpstreamModel } from '@zai2api/dialects';
import { modelPatternSetting, rulesForModel, type ModelPatternRule } from './model-pattern-setting.ts';

/** `ZAI_CONTEXT_TOKENS`: tokens; 0 for as many as anybody sends. */
export const contextTokensSetting = modelPatternSetting({
  unit: 'tokens',
  max: 999_999_999,
  isWhole: true,
  example: 'glm-5*=200000',
  description:
    'How many tokens go into models, where that is not what the official API says: comma separated `name=tokens`, `*` for any text, 0 for no limit, such as `glm-5*=200000`. Longer conversations are refused before the upstream is asked.',
});

/** The tokens that go into a model: by the first fitting rule, else as it is known; undefined for no limit. */
export function contextOf(
  rules: readonly ModelPatternRule[],
  { id, upstreamId }: Pick<UpstreamModel, 'id' | 'upstreamId'>,
): number | undefined {
  const [rule] = rulesForModel(rules, [id, upstreamId]);
  return rule ? rule.value || undefined : contextTokensOf(id);
}
