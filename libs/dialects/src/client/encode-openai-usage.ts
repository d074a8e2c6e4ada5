import type { Usage } from '@zai2api/turn';

/** Token counts as `usage` of chat and legacy completions (contract 1.3): `completion_tokens` includes reasoning, `total_tokens` is always the sum. */
export function encodeOpenAiUsage(usage: Usage): unknown {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}
