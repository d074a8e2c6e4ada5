import type { TurnMessage, TurnRequest } from '@zai2api/turn';
import { estimateInput } from '../answer/estimate-input.ts';
import { isSurelyWithin } from './fit-context.ts';

/**
 * The request without messages from its middle, so many that it has no more than `maxTokens`: what comes first is what the conversation is
 * about, what comes last is what it has come to. A call stays with its results. The same request when it is short enough; it is still too
 * long when its beginning and its end alone are.
 */
export function dropMiddle(
  request: TurnRequest,
  maxTokens: number,
  countTokens: (text: string) => number,
): TurnRequest {
  const sizeOf = (messages: readonly TurnMessage[]): number => estimateInput({ ...request, messages }, countTokens);
  if (isSurelyWithin(maxTokens, request) || sizeOf(request.messages) <= maxTokens) return request;
  const head = headOf(request.messages);
  const groups = groupByCalls(request.messages.slice(head.length));
  const tail: TurnMessage[][] = groups.splice(-1);
  let left = maxTokens - sizeOf([...head, ...tail.flat()]);
  // Tools count with the head; behind it only what is added counts.
  const toolTokens = sizeOf([]);
  for (let group = groups.pop(); group; group = groups.pop()) {
    left -= sizeOf(group) - toolTokens;
    if (left < 0) break;
    tail.unshift(group);
  }
  return { ...request, messages: [...head, ...tail.flat()] };
}

/** Instructions, and the first thing that was asked. */
function headOf(messages: readonly TurnMessage[]): readonly TurnMessage[] {
  const first = messages.findIndex(({ role }) => role !== 'system');
  if (first < 0) return messages;
  return messages.slice(0, messages[first]?.role === 'user' ? first + 1 : first);
}

/** What must not be torn apart: calls and the results that follow them. */
function groupByCalls(messages: readonly TurnMessage[]): TurnMessage[][] {
  const groups: TurnMessage[][] = [];
  for (const message of messages) {
    if (message.role === 'tool' && groups.length > 0) groups.at(-1)?.push(message);
    else groups.push([message]);
  }
  return groups;
}
