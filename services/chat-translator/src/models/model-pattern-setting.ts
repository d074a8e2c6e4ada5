import { setting, type SettingDescription } from '@zai2api/runtime';
import { matchesPattern } from './match-pattern.ts';

/** A number for the models whose name fits the pattern. */
export interface ModelPatternRule {
  /** A model name in lower case; `*` stands for any text. */
  readonly pattern: string;
  readonly value: number;
}

/** Of a faulty item in the message about it. */
const MAX_SHOWN_LENGTH = 80;

/**
 * A setting that gives numbers to models: comma separated `name=unit`, `*` for any text. Numbers are whole, or decimal, and at most `max`;
 * `example` is shown to whoever writes one that is not.
 */
export function modelPatternSetting(options: {
  readonly unit: string;
  readonly max: number;
  readonly isWhole?: boolean;
  readonly example: string;
  readonly description: string;
}) {
  const { unit, max, isWhole = false, example, description } = options;
  const form = isWhole ? /^([^\s=]+)\s*=\s*(\d+)$/ : /^([^\s=]+)\s*=\s*(\d+(?:\.\d+)?)$/;
  return setting
    .list({ default: [], description: '' })
    .transform((items, context): readonly ModelPatternRule[] =>
      items.flatMap((item) => {
        const [, pattern, digits] = form.exec(item) ?? [];
        const value = Number(digits);
        if (pattern !== undefined && value <= max) return [{ pattern: pattern.toLowerCase(), value }];
        context.addIssue({
          code: 'custom',
          message: `expected name=${unit}, such as ${example}, got "${item.slice(0, MAX_SHOWN_LENGTH)}"`,
        });
        return [];
      }),
    )
    .meta({ description, defaultText: 'unset' } satisfies SettingDescription);
}

/** The rules that fit one of a model's names, in their order. */
export function rulesForModel(rules: readonly ModelPatternRule[], names: readonly string[]): ModelPatternRule[] {
  const lowerCase = names.map((name) => name.toLowerCase());
  return rules.filter(({ pattern }) => lowerCase.some((name) => matchesPattern(pattern, name)));
}
