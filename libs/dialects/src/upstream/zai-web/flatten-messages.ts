import type { ToolChoice, ToolDefinition, TurnMessage } from '@zai2api/turn';
import { findRepeatedCalls } from '../../stages/tool-loop.ts';
import { createMarkupHistory, createPlainHistory, type ToolHistory } from '../tool-history.ts';
import { encodeToolInstructions } from './tool-instructions.ts';

const preamble = 'The following is a conversation so far, each message between tags that name its role. ';
const plainReply = 'as the assistant, with the reply alone and without tags.';
const toolReply = 'as the assistant, with the reply alone. The only tags in it are those of tool calls.';

/** How a conversation becomes one text. */
export interface FlattenOptions {
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  /** False: at most one call in an answer. */
  readonly parallelToolCalls?: boolean;
  /** The last word, such as the form that the answer must have. */
  readonly closing?: string;
}

/**
 * The whole conversation as the one user text that the upstream reliably reads: it drops system text and is contradictory about
 * anything but a single user message (protocol 4.7, 12.4). Tools are part of that text (protocol 6). One lone user message goes up
 * unchanged.
 */
export function flattenMessages(messages: readonly TurnMessage[], options: FlattenOptions = {}): string {
  const { tools = [], toolChoice = { mode: 'auto' }, parallelToolCalls = true, closing = '' } = options;
  const repeated = findRepeatedCalls(messages);
  const instructions = encodeToolInstructions({ tools, toolChoice, parallelToolCalls, repeated });
  const [only, ...others] = messages;
  if (only?.role === 'user' && others.length === 0 && !instructions) {
    return closing === '' ? only.text : `${only.text}\n\n${closing}`;
  }
  const history = instructions ? createMarkupHistory(messages) : createPlainHistory(messages);
  return [
    `${preamble}Reply to ${whatToReplyTo(messages)} ${instructions ? toolReply : plainReply}`,
    ...(instructions ? [instructions.opening] : []),
    ...messages.map((message) => encodeMessage(message, history)),
    ...(instructions ? [instructions.closing] : []),
    ...(closing === '' ? [] : [closing]),
  ].join('\n\n');
}

/** Some clients put what the model should know behind what the user said. */
function whatToReplyTo(messages: readonly TurnMessage[]): string {
  return messages.at(-1)?.role === 'system' ? 'the last message that is not from the system' : 'the last message';
}

function encodeMessage(message: TurnMessage, history: ToolHistory): string {
  switch (message.role) {
    case 'tool':
      return history.result(message);
    case 'assistant':
      return element('assistant', history.assistant(message));
    default:
      return element(message.role, message.text);
  }
}

const element = (name: string, text: string): string => `<${name}>\n${text}\n</${name}>`;
