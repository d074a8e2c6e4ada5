import { contextTokensOf, type UpstreamModel } from '@zai2api/dialects';
import { setting, type SettingDescription } from '@zai2api/runtime';
import { matchesPattern } from './match-pattern.ts';

/** How many tokens go into the models whose name fits the pattern. */
export interface ContextRule {
  /** A model name in lower case; `*` stands for any text. */
  readonly pattern: string;
  /** 0: as many as anybody sends. */
  readonly tokens: number;
}

/** Of a faulty item in the message about it. */
const MAX_SHOWN_LENGTH = 80;

/** `ZAI_CONTEXT_TOKENS`. */
export const contextTokensSetting = setting
  .list({ default: [], description: '' })
  .transform((items, context): readonly ContextRule[] =>
    items.flatMap((item) => {
      const [, pattern, digits] = /^([^\s=]+)\s*=\s*(\d{1,9})$/.exec(item) ?? [];
      if (pattern !== undefined) return [{ pattern: pattern.toLowerCase(), tokens: Number(digits) }];
      context.addIssue({
        code: 'custom',
        message: `expected name=tokens, such as glm-5*=200000, got "${item.slice(0, MAX_SHOWN_LENGTH)}"`,
      });
      return [];
    }),
  )
  .meta({
    description:
      'How many tokens go into models, where that is not what the official API says: comma separated `name=tokens`, `*` for any text, 0 for no limit, such as `glm-5*=200000`. Longer conversations are refused before the upstream is asked.',
    defaultText: 'unset',
  } satisfies SettingDescription);

/** The tokens that go into a model: by the first fitting rule, else as it is known; undefined for no limit. */
export function contextOf(
  rules: readonly ContextRule[],
  { id, upstreamId }: Pick<UpstreamModel, 'id' | 'upstreamId'>,
): number | undefined {
  const names = [id, upstreamId.toLowerCase()];
  const rule = rules.find(({ pattern }) => names.some((name) => matchesPattern(pattern, name)));
  return rule ? rule.tokens || undefined : contextTokensOf(id);
}
