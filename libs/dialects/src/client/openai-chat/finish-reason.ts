import type { FinishReason } from '@zai2api/turn';

/** The values that official clients know. */
export type OpenAiFinishReason = 'stop' | 'length' | 'tool_calls' | 'function_call' | 'content_filter';

const finishReasons = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const satisfies Record<FinishReason, OpenAiFinishReason>;

/** An answer with a tool call always ends in `tool_calls`, or what it was called before: agent loops look at nothing else (contract 0.6). */
export function encodeFinishReason(
  reason: FinishReason,
  hasToolCalls: boolean,
  legacyFunctions: boolean,
): OpenAiFinishReason {
  if (!hasToolCalls) return finishReasons[reason];
  return legacyFunctions ? 'function_call' : 'tool_calls';
}
