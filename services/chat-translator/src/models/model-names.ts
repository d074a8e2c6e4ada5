import { keyNamePattern, setting, type SettingDescription } from '@zai2api/runtime';
import { matchesPattern } from './match-pattern.ts';

/** A rule of an operator about the names of models. */
export interface ModelRule {
  /** For requests with the API key of that name alone, and before all rules without one. */
  readonly keyName?: string;
  /** In lower case; `*` stands for any text. */
  readonly pattern: string;
  /** Names of models, the first one first; each may say its upstream, as in `glm-4.7@web`. */
  readonly models: readonly string[];
}

/** Of a faulty item in the message about it. */
const MAX_SHOWN_LENGTH = 80;

/** `ZAI_MODEL_ALIASES`. */
export const modelAliasesSetting = rulesSetting({
  most: 1,
  description:
    'Other names for models: comma separated `name=model`, `*` for any text, the first fitting one counts; `model@web` names the upstream, too. `claude-*` is ZAI_MODEL_NAME unless one fits. `team-a name=model` is for that API key.',
  example: 'gpt-4o=glm-5, or claude-*-haiku*=glm-4.7',
});

/** `ZAI_MODEL_FALLBACKS`. */
export const modelFallbacksSetting = rulesSetting({
  most: 8,
  description:
    'Models that answer when another one is busy, failing or not allowed, before its first content: comma separated `model=model|model`, `*` for any text; `team-a model=model` is for the API key of that name.',
  example: 'glm-5=glm-4.7|glm-4.6',
});

function rulesSetting({
  most,
  description,
  example,
}: {
  readonly most: number;
  readonly description: string;
  readonly example: string;
}) {
  return setting
    .list({ default: [], description: '' })
    .transform((items, context): readonly ModelRule[] =>
      items.flatMap((item) => {
        const rule = parseModelRule(item);
        if (rule && rule.models.length <= most) return [rule];
        context.addIssue({ code: 'custom', message: `expected ${example}; got "${item.slice(0, MAX_SHOWN_LENGTH)}"` });
        return [];
      }),
    )
    .meta({ description, defaultText: 'unset' } satisfies SettingDescription);
}

/** Reads one item of the form `name=model|model`, or `key name=model|model`; undefined when it is not of that form. */
export function parseModelRule(item: string): ModelRule | undefined {
  const cut = item.indexOf('=');
  const [pattern = '', keyName, ...more] = item
    .slice(0, Math.max(cut, 0))
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .toReversed();
  const models = item
    .slice(cut + 1)
    .split('|')
    .map((model) => model.trim());
  if (cut < 0 || pattern === '' || models.some((model) => model === '' || /[\s*=]/.test(model))) return undefined;
  if (more.length > 0 || (keyName !== undefined && !keyNamePattern.test(keyName))) return undefined;
  return { pattern, models, ...(keyName !== undefined && { keyName }) };
}

/** The rules for a key: its own first, then those for everybody. */
export const rulesFor = (rules: readonly ModelRule[], keyName: string | undefined): readonly ModelRule[] => [
  ...rules.filter((rule) => rule.keyName !== undefined && rule.keyName === keyName),
  ...rules.filter((rule) => rule.keyName === undefined),
];

/** What the first fitting rule says; empty when none fits. */
export function applyRules(rules: readonly ModelRule[], name: string): readonly string[] {
  const lower = name.toLowerCase();
  return rules.find(({ pattern }) => matchesPattern(pattern, lower))?.models ?? [];
}

/** `glm-4.7@web` taken apart. An `@` that no upstream's name follows is part of the name. */
export function splitUpstream(
  name: string,
  upstreams: readonly string[],
): { readonly name: string; readonly upstream?: string } {
  const cut = name.lastIndexOf('@');
  const upstream = cut < 0 ? '' : name.slice(cut + 1).toLowerCase();
  return upstreams.includes(upstream) ? { name: name.slice(0, cut), upstream } : { name };
}
