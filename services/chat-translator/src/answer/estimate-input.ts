import { assertNever, attachmentsOf, type TurnAttachment, type TurnMessage, type TurnRequest } from '@zai2api/turn';
import { boundTokenCount } from './bound-token-count.ts';

/** What a file costs, as far as anybody can say who has not looked at it: the most that a picture of usual size costs elsewhere. */
const TOKENS_BY_KIND: Record<TurnAttachment['kind'], number> = { image: 1_600, video: 6_400, document: 3_200 };

/**
 * Estimated tokens of a request: messages, thoughts, calls, files and tools, without what a driver adds in words of its own. Counted piece by
 * piece, so that a longer conversation never counts for less.
 */
export function estimateInput(request: TurnRequest, countTokens: (text: string) => number): number {
  const count = boundTokenCount(countTokens);
  let tokens = 0;
  for (const message of request.messages) {
    for (const text of textsOf(message)) tokens += count(text);
    for (const { kind } of attachmentsOf(message)) tokens += TOKENS_BY_KIND[kind];
  }
  for (const { name, description, parameters } of request.tools) {
    tokens += count(JSON.stringify([name, description, parameters]));
  }
  return Math.round(tokens);
}

function textsOf(message: TurnMessage): string[] {
  switch (message.role) {
    case 'system':
    case 'user':
    case 'tool':
      return [message.text];
    case 'assistant':
      return [
        message.text,
        message.reasoning ?? '',
        ...message.toolCalls.map(({ name, argumentsText }) => `${name} ${argumentsText}`),
      ];
    default:
      return assertNever(message);
  }
}
