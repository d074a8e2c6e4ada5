import type { TurnResult, TurnToolCall } from '@zai2api/turn';
import type { OpenAiChatForm } from './decode-request.ts';
import { encodeAnnotations } from './encode-annotation.ts';
import { encodeOpenAiUsage } from '../encode-openai-usage.ts';
import { encodeFinishReason } from './finish-reason.ts';

/**
 * The whole answer (contract 1.3). Optional parts are absent, never empty; `content` is null only beside tool calls or a refusal
 * (contract 1.5).
 */
export function encodeOpenAiChatResponse(
  result: TurnResult,
  { legacyFunctions }: Pick<OpenAiChatForm, 'legacyFunctions'>,
): unknown {
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
          ...(hasToolCalls && encodeCalls(toolCalls, legacyFunctions)),
          ...(sources.length > 0 && { annotations: encodeAnnotations(sources, text) }),
        },
        finish_reason: encodeFinishReason(result.finishReason, hasToolCalls, legacyFunctions),
        logprobs: null,
      },
    ],
    usage: encodeOpenAiUsage(result.usage),
  };
}

function encodeCalls(calls: readonly TurnToolCall[], legacyFunctions: boolean): object {
  const encode = (call: TurnToolCall) => ({ name: call.name, arguments: call.argumentsText || '{}' });
  // The legacy shape has room for one call and no id.
  if (legacyFunctions) return { function_call: calls.slice(0, 1).map(encode)[0] };
  return { tool_calls: calls.map((call) => ({ id: call.callId, type: 'function', function: encode(call) })) };
}
