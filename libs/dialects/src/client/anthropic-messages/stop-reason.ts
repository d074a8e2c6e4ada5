import type { FinishReason } from '@zai2api/turn';

/** The values that official clients know and an answer of ours can have. */
export type AnthropicStopReason = 'end_turn' | 'max_tokens' | 'stop_sequence' | 'tool_use' | 'refusal';

const stopReasons = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
} as const satisfies Record<FinishReason, AnthropicStopReason>;

/** How an answer ended. */
export interface AnswerEnd {
  readonly reason: FinishReason;
  readonly hasToolCalls: boolean;
  readonly stopSequence?: string | undefined;
  /** Why the answer could not be given as asked. */
  readonly refusal?: string | undefined;
}

/** Why an answer ended, in the three fields that say so; the reason is never null (contract 3.4). */
export function encodeStop({ reason, hasToolCalls, stopSequence, refusal }: AnswerEnd) {
  const stopReason: AnthropicStopReason =
    refusal !== undefined
      ? 'refusal'
      : hasToolCalls
        ? 'tool_use'
        : stopSequence !== undefined
          ? 'stop_sequence'
          : stopReasons[reason];
  return {
    stop_reason: stopReason,
    stop_sequence: stopReason === 'stop_sequence' ? stopSequence : null,
    stop_details: stopReason === 'refusal' ? { type: 'refusal', category: null, explanation: refusal ?? null } : null,
  };
}
