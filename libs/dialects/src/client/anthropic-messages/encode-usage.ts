import type { Usage } from '@zai2api/turn';

/**
 * Token counts of a whole answer (contract 3.4): `input_tokens` leaves out what came from a cache, `output_tokens` includes thinking. What
 * there is nothing to say about is null, as official clients expect every key.
 */
export function encodeUsage(
  usage: Pick<Usage, 'inputTokens' | 'outputTokens' | 'cachedInputTokens'>,
  thinking: number,
) {
  return {
    ...encodeTotals(usage, thinking),
    cache_creation: null,
    inference_geo: null,
    service_tier: 'standard',
    speed: null,
  };
}

/** The part of it that a stream says at its end, as totals (contract 3.5). */
export function encodeTotals(
  { inputTokens, outputTokens, cachedInputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens' | 'cachedInputTokens'>,
  thinking: number,
) {
  const cached = Math.min(cachedInputTokens, inputTokens);
  return {
    input_tokens: inputTokens - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: outputTokens,
    output_tokens_details: { thinking_tokens: thinking },
    server_tool_use: null,
  };
}
