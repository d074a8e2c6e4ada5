import type { TurnWarning } from '@zai2api/turn';

/** Each ignored field is named once, whoever ignores it. */
export const uniqueWarnings = (warnings: readonly TurnWarning[]): TurnWarning[] => [
  ...new Map(warnings.map((warning) => [warning.field, warning])).values(),
];
