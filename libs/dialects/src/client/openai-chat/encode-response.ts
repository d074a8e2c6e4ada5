import type { TurnResult } from '@zai2api/turn';
import { encodeAnnotation } from './encode-annotation.ts';
import { encodeUsage } from './encode-usage.ts';
import { encodeFinishReason } from './finish-reason.ts';

/** The whole answer (contract 1.3). Optional parts are absent, never empty; `content` is null only beside tool calls
 * or a refusal (contract 1.5). */
export function encodeOpenAiChatResponse(result: TurnResult): unknown {
  const { text, reasoning, toolCalls, sources, refusal } = result;
  const hasToolCalls = toolCalls.length > 0;
  return {
    id: `chatcmpl-${result.id}`,
    object: 'chat.completion',
    created: Math.floor(result.createdAt / 1000),
    model: result.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && (hasToolCalls || refusal !== undefined) ? null : text,
          refusal: refusal ?? null,
          ...(reasoning !== '' && { reasoning_content: reasoning }),
          ...(hasToolCalls && {
            tool_calls: toolCalls.map((call) => ({
              id: call.callId,
              type: 'function',
              function: { name: call.name, arguments: call.argumentsText || '{}' },
            })),
          }),
          ...(sources.length > 0 && { annotations: sources.map(encodeAnnotation) }),
        },
        finish_reason: encodeFinishReason(result.finishReason, hasToolCalls),
        logprobs: null,
      },
    ],
    usage: encodeUsage(result.usage),
  };
}
