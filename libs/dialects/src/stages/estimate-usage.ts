import type { TurnEvent, Usage } from '@zai2api/turn';

/** What an answer cost as far as it came, for answers that no upstream count will follow. */
export interface UsageEstimate {
  push(event: TurnEvent): void;
  /** Counts what was pushed: costs as much as the answer is long. */
  usage(inputTokens: number): Usage;
}

/** The estimate of one answer: thinking, text and the arguments of tool calls. */
export function createUsageEstimate(countTokens: (text: string) => number): UsageEstimate {
  let reasoning = '';
  let text = '';
  let calls = '';

  return {
    push(event) {
      if (event.type === 'reasoning-delta') reasoning += event.text;
      if (event.type === 'text-delta') text += event.text;
      if (event.type === 'tool-call-start') calls += `${event.name} `;
      if (event.type === 'tool-call-delta') calls += event.argumentsText;
    },
    usage(inputTokens) {
      const reasoningTokens = countTokens(reasoning);
      return {
        inputTokens,
        outputTokens: reasoningTokens + countTokens(text) + countTokens(calls),
        cachedInputTokens: 0,
        reasoningTokens,
        exactness: 'estimated',
      };
    },
  };
}
