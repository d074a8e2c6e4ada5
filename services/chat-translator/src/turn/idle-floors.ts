import { setting, type SettingDescription } from '@zai2api/runtime';
import { matchesPattern } from '../models/match-pattern.ts';

/** The least idle limit of the models whose name fits the pattern, in seconds. */
export interface IdleFloor {
  /** A model name in any case; `*` stands for any text. */
  readonly pattern: string;
  readonly seconds: number;
}

const MAX_SECONDS = 86_400;
/** Of a faulty item in the message about it. */
const MAX_SHOWN_LENGTH = 80;

/** `ZAI_IDLE_FLOORS`. */
export const idleFloorsSetting = setting
  .list({ default: [], description: '' })
  .transform((items, context): readonly IdleFloor[] =>
    items.flatMap((item) => {
      const floor = parseIdleFloor(item);
      if (floor) return [floor];
      context.addIssue({
        code: 'custom',
        message: `expected name=seconds, such as glm-5*=600, got "${item.slice(0, MAX_SHOWN_LENGTH)}"`,
      });
      return [];
    }),
  )
  .meta({
    description:
      'Longest silence of single models where it must be longer than usual: comma separated `name=seconds`, `*` for any text, such as `glm-5*=600`.',
    defaultText: 'unset',
  } satisfies SettingDescription);

/** Reads one item of the form `glm-5*=600`; undefined when it is not of that form. */
export function parseIdleFloor(item: string): IdleFloor | undefined {
  const [, pattern, digits] = /^([^\s=]+)\s*=\s*(\d+(?:\.\d+)?)$/.exec(item) ?? [];
  const seconds = Number(digits);
  return pattern === undefined || !(seconds <= MAX_SECONDS) ? undefined : { pattern: pattern.toLowerCase(), seconds };
}

/** The highest floor among those that fit one of the model's names; 0 when none fits. */
export function idleFloorOf(floors: readonly IdleFloor[], names: readonly string[]): number {
  const fitting = floors.filter(({ pattern }) => names.some((name) => matchesPattern(pattern, name.toLowerCase())));
  return Math.max(0, ...fitting.map(({ seconds }) => seconds));
}
