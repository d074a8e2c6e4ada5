import { errorAnswers } from './error-answers.ts';
import { framing } from './framing.ts';
import { pacing } from './pacing.ts';
import { plainAnswers } from './plain-answers.ts';
import { searchAnswers } from './search-answers.ts';
import { thinkingAnswers } from './thinking-answers.ts';
import { toolAnswers } from './tool-answers.ts';
import type { ScenarioTable } from './scenario.ts';

/** Every scenario by name. */
export const scenarios: ScenarioTable = {
  ...plainAnswers,
  ...thinkingAnswers,
  ...framing,
  ...pacing,
  ...searchAnswers,
  ...toolAnswers,
  ...errorAnswers,
};
