import type { TurnMessage, TurnRequest } from '@zai2api/turn';
import { boundTokenCount } from '../answer/bound-token-count.ts';
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
  if (isSurelyWithin(maxTokens, request)) return request;
  // Each text is counted once: tools and messages are large, and there are many of both. The latest ones first, for they stay.
  const count = boundTokenCount(countTokens);
  const sizeOf = (messages: readonly TurnMessage[]): number =>
    estimateInput({ ...request, tools: [], messages }, count);
  const head = headOf(request.messages);
  const groups = groupByCalls(request.messages.slice(head.length))
    .reverse()
    .map((messages) => ({ messages, size: sizeOf(messages) }));
  let left = maxTokens - estimateInput({ ...request, messages: head }, countTokens);
  if (groups.reduce((sum, { size }) => sum + size, 0) <= left) return request;
  const tail: typeof groups = [];
  for (const group of groups) {
    left -= group.size;
    if (left < 0 && tail.length > 0) break;
    tail.push(group);
  }
  // The whole is judged by other samples than its parts were: what is too much by that count goes too, more of it each time.
  for (let factor = 1; ; factor *= 2) {
    const kept = { ...request, messages: [...head, ...tail.toReversed().flatMap(({ messages }) => messages)] };
    let over = (estimateInput(kept, countTokens) - maxTokens) * factor;
    if (over <= 0 || tail.length <= 1) return kept;
    while (over > 0 && tail.length > 1) over -= tail.pop()?.size ?? 0;
  }
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
