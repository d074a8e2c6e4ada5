import type { ScenarioContext } from './scenario.ts';

/** What the model says when a scenario is not about special text. */
export function answerText(context: ScenarioContext): string {
  return context.settings.answerText ?? `Hello from GLM. You said: ${context.prompt}`;
}
