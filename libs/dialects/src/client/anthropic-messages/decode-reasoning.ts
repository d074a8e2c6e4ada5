import { reasoningEfforts, type ReasoningEffort, type TurnRequest } from '@zai2api/turn';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { outputConfigSchema, thinkingSchema, type WireConversation } from './wire-schema.ts';

/** Thinking budgets up to here mean this much effort (contract 1.7); above all of them it is `max`. */
const budgets: readonly { readonly upTo: number; readonly effort: ReasoningEffort }[] = [
  { upTo: 4096, effort: 'low' },
  { upTo: 16_384, effort: 'high' },
];

/** Whether the thinking of an answer is to be seen, or only carried along in its signature. */
export type ThinkingDisplay = 'shown' | 'omitted';

/**
 * The thinking switch (contract 3.2, 3.4). Without one this API does not think, unless the model's name asks for it, and then nobody sees
 * it; `adaptive` and `between_tools` leave the choice to the model. An effort by name wins over a budget, that of the turn over that of the
 * request.
 */
export function decodeReasoning(
  { thinking, output_config: config, messages }: WireConversation,
  ignored: IgnoredFields,
): TurnRequest['reasoning'] & { readonly display: ThinkingDisplay } {
  if (thinking) ignored.addUnknown(thinking, thinkingSchema.shape, 'thinking.');
  if (config) ignored.addUnknown(config, outputConfigSchema.shape, 'output_config.');
  const type = thinking?.type ?? 'disabled';
  const isOff = type === 'disabled';
  const wanted = effortOfTurn(messages) ?? config?.effort;
  const named = reasoningEfforts.find((effort) => effort === wanted);
  if (wanted !== undefined && (named === undefined || isOff)) ignored.add('output_config.effort');
  return {
    enabled: type === 'enabled' ? true : thinking && isOff ? false : undefined,
    byDefault: thinking ? undefined : false,
    effort: isOff ? undefined : (named ?? effortOf(thinking?.budget_tokens)),
    visible: !isOff,
    display: thinking?.display === 'omitted' ? 'omitted' : 'shown',
  };
}

/** What instructions behind the last words of the user say. */
function effortOfTurn(messages: WireConversation['messages']): string | undefined {
  const lastUser = messages.findLastIndex(({ role }) => role === 'user');
  return messages.slice(lastUser + 1).findLast((message) => message.output_config?.effort)?.output_config?.effort;
}

function effortOf(budget: number | undefined): ReasoningEffort | undefined {
  if (budget === undefined) return undefined;
  return budgets.find(({ upTo }) => budget <= upTo)?.effort ?? 'max';
}
