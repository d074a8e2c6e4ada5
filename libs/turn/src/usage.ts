/** Token counts of one turn. `exact` when the upstream counted, `estimated` when we did. */
export interface Usage {
  readonly inputTokens: number;
  /** Reasoning included. */
  readonly outputTokens: number;
  readonly cachedInputTokens: number;
  readonly reasoningTokens: number;
  readonly exactness: 'exact' | 'estimated';
}
