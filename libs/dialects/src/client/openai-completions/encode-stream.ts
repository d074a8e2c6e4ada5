import type { TurnError } from '@zai2api/turn';
import { answerBrokeOff, assertNever, type TurnEvent } from '@zai2api/turn';
import type { StreamEncoder } from '../client-dialect.ts';
import { encodeOpenAiErrorFrame } from '../encode-openai-error.ts';
import { encodeOpenAiUsage } from '../encode-openai-usage.ts';
import type { OpenAiCompletionsForm } from './decode-request.ts';
import { finishReasons } from './finish-reason.ts';

/** Writes the chunk stream (contract 4.2): the same object as a whole answer, text by text; usage only when asked, `[DONE]` only after a proper end. */
export function createOpenAiCompletionsStreamEncoder({ includeUsage, echo }: OpenAiCompletionsForm): StreamEncoder {
  let base: object | undefined;
  let ended = false;

  const write = (fields: object): string => {
    if (!base) throw new Error('An event came before turn-start.');
    return `data: ${JSON.stringify({ ...base, ...fields })}\n\n`;
  };
  const writeText = (text: string, reason: string | null = null): string =>
    write({
      choices: [{ text, index: 0, logprobs: null, finish_reason: reason }],
      ...(includeUsage && { usage: null }),
    });
  const start = (event: Extract<TurnEvent, { type: 'turn-start' }>): string => {
    base = {
      id: `cmpl-${event.id}`,
      object: 'text_completion',
      created: Math.floor(event.createdAt / 1000),
      model: event.model,
    };
    return echo === '' ? '' : writeText(echo);
  };
  const fail = (error: TurnError): string => {
    ended = true;
    return encodeOpenAiErrorFrame(error);
  };

  return {
    push(event) {
      if (ended) return '';
      switch (event.type) {
        case 'text-delta':
        case 'refusal':
          return writeText(event.text);
        case 'turn-start':
          return start(event);
        case 'reasoning-start':
        case 'reasoning-delta':
        case 'reasoning-end':
        case 'text-start':
        case 'text-end':
        case 'tool-call-start':
        case 'tool-call-delta':
        case 'tool-call-end':
        case 'source':
          return '';
        case 'turn-end': {
          ended = true;
          const usage = includeUsage ? write({ choices: [], usage: encodeOpenAiUsage(event.usage) }) : '';
          return `${writeText('', finishReasons[event.reason])}${usage}data: [DONE]\n\n`;
        }
        case 'turn-error':
          return fail(event.error);
        default:
          return assertNever(event);
      }
    },
    end() {
      if (ended) return '';
      return fail(answerBrokeOff());
    },
  };
}
