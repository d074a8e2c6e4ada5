import { assertNever, type TurnMessage, type TurnToolCall } from '@zai2api/turn';
import { decodeContent } from './decode-content.ts';
import { encodeCustomInput } from '../request/custom-tool.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { required } from '../request/request-fault.ts';
import { messageSchema, type WireMessage, type WireToolCall } from './wire-schema.ts';

/**
 * Messages in the neutral form, one for one and in order (contract 1.2). Histories that OpenAI would refuse are accepted: tool results
 * without a call, two users in a row, an assistant last.
 */
export function decodeMessages(messages: readonly WireMessage[], ignored: IgnoredFields): TurnMessage[] {
  const lastUser = messages.findLastIndex(({ role }) => role === 'user');
  return messages.map((message, index) => {
    const decoded = decodeMessage(message, `messages[${index}]`, ignored);
    const { reasoning_content: reasoning } = message;
    // Between calls and their results the model goes on thinking where it stopped; older thoughts only cost (contract 1.1).
    return decoded.role === 'assistant' && reasoning && index > lastUser ? { ...decoded, reasoning } : decoded;
  });
}

function decodeMessage(message: WireMessage, path: string, ignored: IgnoredFields): TurnMessage {
  ignored.addUnknown(message, messageSchema.shape, 'messages[].');
  const { text: content, attachments } = decodeContent(message, path, ignored);
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', text: required(content, `${path}.content`) };
    case 'user': {
      const text = required(content, `${path}.content`);
      // The models know no names of speakers; said in the text it is not lost.
      return { role: 'user', text: message.name && text ? `${message.name}: ${text}` : text, attachments };
    }
    case 'assistant':
      return {
        role: 'assistant',
        text: content ?? message.refusal ?? '',
        toolCalls: decodeToolCalls(message, path),
      };
    case 'tool':
      return { role: 'tool', callId: required(message.tool_call_id, `${path}.tool_call_id`), text: content ?? '' };
    case 'function':
      return { role: 'tool', callId: required(message.name, `${path}.name`), text: content ?? '' };
    default:
      return assertNever(message.role);
  }
}

/** Calls of an earlier answer. The legacy `function_call` has no id: its name serves as one, for its result carries that name. */
function decodeToolCalls(message: WireMessage, path: string): TurnToolCall[] {
  const calls = (message.tool_calls ?? []).map((call, index) => decodeToolCall(call, `${path}.tool_calls[${index}]`));
  const legacy = message.function_call;
  if (legacy && calls.length === 0) {
    calls.push({ callId: legacy.name, name: legacy.name, argumentsText: asJsonText(legacy.arguments) });
  }
  return calls;
}

function decodeToolCall(call: WireToolCall, path: string): TurnToolCall {
  if (call.custom) {
    return {
      callId: call.id,
      name: call.custom.name,
      argumentsText: encodeCustomInput(call.custom.input ?? ''),
    };
  }
  const called = required(call.function, `${path}.function`);
  return { callId: call.id, name: called.name, argumentsText: asJsonText(called.arguments) };
}

function asJsonText(value: string | Readonly<Record<string, unknown>> | undefined): string {
  return typeof value === 'string' ? value || '{}' : JSON.stringify(value ?? {});
}
