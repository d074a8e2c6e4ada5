import type { TurnMessage } from '@zai2api/turn';

const preamble =
  'The following is a conversation so far, each message between tags that name its role. ' +
  'Reply to the last message as the assistant, with the reply alone and without tags.';

/**
 * The whole conversation as the one user text that the upstream reliably reads: it drops system text and is contradictory about
 * anything but a single user message (protocol 4.7, 12.4). One lone user message goes up unchanged.
 */
export function flattenMessages(messages: readonly TurnMessage[]): string {
  const [only, ...others] = messages;
  if (only?.role === 'user' && others.length === 0) return only.text;
  return [preamble, ...messages.map(encodeMessage)].join('\n\n');
}

function encodeMessage(message: TurnMessage): string {
  switch (message.role) {
    case 'tool':
      return element('tool_result', message.text, ` id=${JSON.stringify(message.callId)}`);
    case 'assistant': {
      const calls = message.toolCalls.map((call) =>
        element(
          'tool_call',
          call.argumentsText,
          ` id=${JSON.stringify(call.callId)} name=${JSON.stringify(call.name)}`,
        ),
      );
      return element('assistant', [message.text, ...calls].filter((part) => part !== '').join('\n'));
    }
    default:
      return element(message.role, message.text);
  }
}

const element = (name: string, text: string, attributes = ''): string => `<${name}${attributes}>\n${text}\n</${name}>`;
