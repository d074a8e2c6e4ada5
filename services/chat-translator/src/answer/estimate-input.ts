import type { TurnRequest } from '@zai2api/turn';

/** Estimated tokens of a request: messages, calls and tools, without what a driver adds in words of its own. */
export function estimateInput(request: TurnRequest, countTokens: (text: string) => number): number {
  const messages = request.messages.flatMap((message) => [
    message.text,
    ...(message.role === 'assistant' ? message.toolCalls.map((call) => `${call.name} ${call.argumentsText}`) : []),
  ]);
  const tools = request.tools.map((tool) => JSON.stringify([tool.name, tool.description, tool.parameters]));
  return countTokens([...messages, ...tools].join('\n'));
}
