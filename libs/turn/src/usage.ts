/** Token counts of one turn. `exact` when the upstream counted, `estimated` when we did. */
export interface Usage {
  readonly inputTokens: number;
  /** Reasoning included. */
  readonly outputTokens: number;
  readonly cachedInputTokens: number;
  readonly reasoningTokens: number;
  readonly exactness: 'exact' | 'estimated';
}

/** What two upstream calls for one turn cost together; exact only when both are. */
export function addUsage(first: Usage, second: Usage): Usage {
  return {
    inputTokens: first.inputTokens + second.inputTokens,
    outputTokens: first.outputTokens + second.outputTokens,
    cachedInputTokens: first.cachedInputTokens + second.cachedInputTokens,
    reasoningTokens: first.reasoningTokens + second.reasoningTokens,
    exactness: first.exactness === 'exact' && second.exactness === 'exact' ? 'exact' : 'estimated',
  };
}
