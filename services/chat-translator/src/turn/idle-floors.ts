import { modelPatternSetting, rulesForModel, type ModelPatternRule } from '../models/model-pattern-setting.ts';

/** `ZAI_IDLE_FLOORS`: the least idle limit of models, in seconds. */
export const idleFloorsSetting = modelPatternSetting({
  unit: 'seconds',
  max: 86_400,
  example: 'glm-5*=600',
  description:
    'Longest silence of single models where it must be longer than usual: comma separated `name=seconds`, `*` for any text, such as `glm-5*=600`.',
});

/** The highest floor among those that fit one of the model's names, in seconds; 0 when none fits. */
export function idleFloorOf(floors: readonly ModelPatternRule[], names: readonly string[]): number {
  return Math.max(0, ...rulesForModel(floors, names).map(({ value }) => value));
}
