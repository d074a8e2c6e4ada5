import type { TurnResult } from '@zai2api/turn';
import { encodeOpenAiUsage } from '../encode-openai-usage.ts';
import type { OpenAiCompletionsForm } from './decode-request.ts';
import { finishReasons } from './finish-reason.ts';

/** The whole answer (contract 4.2). */
export function encodeOpenAiCompletionsResponse(
  result: TurnResult,
  { echo }: Pick<OpenAiCompletionsForm, 'echo'>,
): unknown {
  return {
    id: `cmpl-${result.id}`,
    object: 'text_completion',
    created: Math.floor(result.createdAt / 1000),
    model: result.model,
    choices: [
      {
        text: echo + result.text + (result.refusal ?? ''),
        index: 0,
        logprobs: null,
        finish_reason: finishReasons[result.finishReason],
      },
    ],
    usage: encodeOpenAiUsage(result.usage),
  };
}
