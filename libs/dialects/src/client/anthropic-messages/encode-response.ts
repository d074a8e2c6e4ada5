import type { TurnBlock, TurnResult } from '@zai2api/turn';
import { encodeText, encodeThinking, encodeToolUse, parseInput } from './encode-blocks.ts';
import type { ThinkingDisplay } from './decode-reasoning.ts';
import { encodeUsage } from './encode-usage.ts';
import { encodeStop } from './stop-reason.ts';

/** How thinking leaves: its text, or its seal alone. */
export interface ThinkingForm {
  readonly thinkingDisplay: ThinkingDisplay;
  readonly seal: (text: string) => string;
}

/** The whole answer (contract 3.4), every key that the newest clients know included. Blocks without content are left out. */
export function encodeAnthropicMessagesResponse(result: TurnResult, form: ThinkingForm): unknown {
  const { usage, finishReason: reason, stopSequence, refusal, toolCalls } = result;
  return encodeMessage(
    result,
    result.blocks.flatMap((block) => encodeBlock(block, form)),
    encodeStop({ reason, hasToolCalls: toolCalls.length > 0, stopSequence, refusal }),
    encodeUsage(usage, usage.reasoningTokens),
  );
}

/** A message, at the begin of a stream as at its end. */
export function encodeMessage(
  { id, model }: Pick<TurnResult, 'id' | 'model'>,
  content: readonly unknown[],
  stop: object,
  usage: object,
) {
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content,
    ...stop,
    container: null,
    diagnostics: null,
    usage,
  };
}

function encodeBlock(block: TurnBlock, { thinkingDisplay, seal }: ThinkingForm): unknown[] {
  if (block.type === 'tool-call') return [encodeToolUse(block.callId, block.name, parseInput(block.argumentsText))];
  if (block.text === '') return [];
  if (block.type === 'text') return [encodeText(block.text, block.sources)];
  return [encodeThinking(thinkingDisplay === 'omitted' ? '' : block.text, seal(block.text))];
}
