import type { TurnMessage } from '@zai2api/turn';
import { findRepeatedCalls } from '../../stages/tool-loop.ts';
import { flattenMessages, type FlattenOptions } from './flatten-messages.ts';
import { createMarkupHistory, createPlainHistory } from '../tool-history.ts';
import { encodeToolInstructions } from './tool-instructions.ts';

/** A message as the upstream takes it; content parts come with the last one only (protocol 4.7). */
export interface WireMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A conversation on its way up: the last user text, which is signed, and what goes before it. */
export interface Conversation {
  readonly prompt: string;
  readonly earlier: readonly WireMessage[];
}

/** `flattened`: all of it in one user text; `messages`: message by message, as the web page would have had it. */
export const historyModes = ['flattened', 'messages'] as const;
/** How a conversation goes up: see `historyModes`. */
export type HistoryMode = (typeof historyModes)[number];

/**
 * The conversation in the given mode. Message by message, tool results are user messages, as the upstream has no role for them, and the
 * instructions for tools and form stand at the end of the last one. A conversation that does not end with the user is flattened in
 * either mode: there would be nothing to sign (protocol 4.5).
 */
export function encodeConversation(
  messages: readonly TurnMessage[],
  options: FlattenOptions & { readonly mode: HistoryMode },
): Conversation {
  const last = messages.at(-1);
  if (
    options.mode === 'flattened' ||
    messages.length === 1 ||
    last === undefined ||
    last.role === 'assistant' ||
    last.role === 'system'
  ) {
    return { prompt: flattenMessages(messages, options), earlier: [] };
  }
  const { tools = [], toolChoice = { mode: 'auto' }, parallelToolCalls = true, closing = '' } = options;
  const instructions = encodeToolInstructions({
    tools,
    toolChoice,
    parallelToolCalls,
    repeated: findRepeatedCalls(messages),
  });
  const history = instructions ? createMarkupHistory(messages) : createPlainHistory(messages);
  const encoded = messages.map((message): WireMessage => {
    if (message.role === 'assistant') return { role: 'assistant', content: history.assistant(message) };
    if (message.role === 'tool') return { role: 'user', content: history.result(message) };
    return { role: message.role, content: message.text };
  });
  const prompt = [encoded.at(-1)?.content ?? '', instructions?.closing ?? '', closing]
    .filter((part) => part !== '')
    .join('\n\n');
  return { prompt, earlier: encoded.slice(0, -1) };
}
