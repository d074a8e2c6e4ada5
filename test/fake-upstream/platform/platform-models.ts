/** The models that `GET /models` lists: text models only, as the real list does (protocol 10.3). */
export const listedModelIds = [
  'glm-5.3',
  'glm-5.2',
  'glm-5.1',
  'glm-5',
  'glm-5-turbo',
  'glm-4.7',
  'glm-4.7-flash',
  'glm-4.7-flashx',
  'glm-4.6',
  'glm-4.5',
  'glm-4.5-air',
];

const visionModelIds = [
  'glm-5.3-flash',
  'glm-5.3-flashx',
  'glm-5v-turbo',
  'glm-4.6v',
  'glm-4.6v-flash',
  'glm-4.6v-flashx',
  'glm-4.5v',
  'autoglm-phone-multilingual',
];

/** Every model that answers (protocol 10.2). */
export const platformModelIds: readonly string[] = [
  ...listedModelIds,
  'glm-4.5-x',
  'glm-4.5-airx',
  'glm-4.5-flash',
  'glm-4-32b-0414-128k',
  ...visionModelIds,
];

export const takesVision = (model: string): boolean => visionModelIds.includes(model);
export const alwaysThinks = (model: string): boolean => model.startsWith('glm-5.3');
export const takesToolStream = (model: string): boolean =>
  ['glm-5.3', 'glm-5.2', 'glm-5.1', 'glm-5', 'glm-4.7', 'glm-4.6'].includes(model);

/** GLM-5.2 takes every effort, 5.3 three of them, the others none. */
export function takesEffort(model: string, effort: string): boolean {
  if (alwaysThinks(model)) return ['low', 'high', 'max'].includes(effort);
  return model === 'glm-5.2';
}
