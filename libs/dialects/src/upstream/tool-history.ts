import type { TurnMessage, TurnToolCall } from '@zai2api/turn';
import { CALLS_CLOSE, CALLS_OPEN, encodeAttribute, encodeCdata, encodeToolCall } from '../stages/tool-markup.ts';

const MAX_TITLE_CHARACTERS = 1_000;

/** How earlier calls and their results are written into the prompt. */
export interface ToolHistory {
  /** The text of an assistant message with its calls. */
  assistant(message: Extract<TurnMessage, { role: 'assistant' }>): string;
  /** A whole tool message, tags and all. */
  result(message: Extract<TurnMessage, { role: 'tool' }>): string;
}

/** In the very form that the model is asked to write, results paired with calls by id. */
export function createMarkupHistory(messages: readonly TurnMessage[]): ToolHistory {
  const calls = findCalls(messages);
  return {
    assistant({ text, toolCalls, reasoning }) {
      const lines = [describeThought(reasoning), text];
      if (toolCalls.length === 0) return joinLines(lines);
      const block = toolCalls.map(({ callId, name, argumentsText }) =>
        encodeToolCall({ id: callId, name, argumentsText }),
      );
      return joinLines([...lines, CALLS_OPEN, ...block, CALLS_CLOSE]);
    },
    result({ callId, text }) {
      const name = calls.get(callId)?.name;
      const named = name === undefined ? '' : ` name="${encodeAttribute(shorten(name))}"`;
      return `<tool_result id="${encodeAttribute(callId)}"${named}>${encodeCdata(text)}</tool_result>`;
    },
  };
}

/** In words, for a turn that may not call: a form that it has before its eyes is a form that a model imitates. */
export function createPlainHistory(messages: readonly TurnMessage[]): ToolHistory {
  const calls = findCalls(messages);
  return {
    assistant: ({ text, toolCalls, reasoning }) =>
      joinLines([describeThought(reasoning), text, ...toolCalls.map((call) => `I used ${describe(call)}.`)]),
    result({ callId, text }) {
      const call = calls.get(callId);
      const title = call ? `The result of ${shorten(describe(call))}:` : 'A result:';
      return `<result>\n${title}\n${text}\n</result>`;
    },
  };
}

/** Each result names its call, which has been told in full: many results of one large call must not make a prompt of gigabytes. */
const shorten = (text: string): string =>
  text.length > MAX_TITLE_CHARACTERS ? `${text.slice(0, MAX_TITLE_CHARACTERS)}…` : text;

const joinLines = (lines: readonly string[]): string => lines.filter((line) => line !== '').join('\n');

/** In words, not tags: thinking is no part of the form that an answer must have. */
const describeThought = (reasoning = ''): string => (reasoning === '' ? '' : `My thoughts were: ${reasoning}\n`);

const describe = ({ name, argumentsText }: TurnToolCall): string => `${name} with ${argumentsText}`;

const findCalls = (messages: readonly TurnMessage[]): ReadonlyMap<string, TurnToolCall> =>
  new Map(
    messages.flatMap((message) =>
      message.role === 'assistant' ? message.toolCalls.map((call) => [call.callId, call] as const) : [],
    ),
  );
