import type { TurnAttachment, TurnMessage } from '@zai2api/turn';
import { createPlainHistory } from '../tool-history.ts';
import type { PlatformTraits } from './platform-models.ts';

/** A file of the conversation as the official API takes it. */
export interface PlatformFile {
  readonly kind: TurnAttachment['kind'];
  /** `data:` with media type and Base64. */
  readonly dataUrl: string;
  readonly filename: string;
}

/** A message on the wire; user content is a list of parts only when files come with it (protocol 10.2). */
export interface PlatformMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string | readonly unknown[];
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** What the messages of a completion are made of. */
export interface MessagesInput {
  readonly messages: readonly TurnMessage[];
  /** What the messages name as attachments, in the same order. */
  readonly files: readonly PlatformFile[];
  readonly traits: PlatformTraits;
  /** Earlier thoughts go up again, as the model wrote them. */
  readonly keepsReasoning: boolean;
  /** The last word, such as the form that the answer must have; empty for none. */
  readonly closing: string;
}

/**
 * The conversation, message by message (protocol 10.2). Vision models know no `tool` messages: calls and results are told to them in words.
 */
export function encodeMessages(input: MessagesInput): PlatformMessage[] {
  const { messages, traits } = input;
  const files = input.files.values();
  const encode = traits.vision ? createVisionEncoder(messages, files) : createTextEncoder(input);
  const encoded = messages.flatMap(encode);
  return withClosing(withUser(encoded), input.closing);
}

type MessageEncoder = (message: TurnMessage) => PlatformMessage[];

function createTextEncoder({ keepsReasoning }: MessagesInput): MessageEncoder {
  return (message) => {
    switch (message.role) {
      case 'assistant':
        return encodeAssistant(message, keepsReasoning);
      case 'tool':
        return [{ role: 'tool', tool_call_id: message.callId, content: message.text }];
      default:
        return [{ role: message.role, content: message.text }];
    }
  };
}

function encodeAssistant(
  { text, toolCalls, reasoning }: Extract<TurnMessage, { role: 'assistant' }>,
  keepsReasoning: boolean,
): PlatformMessage[] {
  // A message that says nothing is refused.
  if (text === '' && toolCalls.length === 0) return [];
  const calls = toolCalls.map(({ callId, name, argumentsText }) => ({
    id: callId,
    type: 'function',
    function: { name, arguments: argumentsText === '' ? '{}' : argumentsText },
  }));
  return [
    {
      role: 'assistant',
      content: text,
      ...(keepsReasoning && reasoning !== undefined ? { reasoning_content: reasoning } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
  ];
}

function createVisionEncoder(messages: readonly TurnMessage[], files: Iterator<PlatformFile>): MessageEncoder {
  const history = createPlainHistory(messages);

  function contentOf(message: TurnMessage, text: string): PlatformMessage['content'] {
    const parts = attachmentsOf(message).map((attachment) => {
      const { value } = files.next() as { value?: PlatformFile };
      return encodePart(attachment, value);
    });
    return parts.length === 0 ? text : [...(text === '' ? [] : [{ type: 'text', text }]), ...parts];
  }

  return (message) => {
    switch (message.role) {
      case 'assistant': {
        const content = history.assistant(message);
        return content === '' ? [] : [{ role: 'assistant', content }];
      }
      case 'tool':
        return [{ role: 'user', content: contentOf(message, history.result(message)) }];
      default:
        return [{ role: message.role, content: contentOf(message, message.text) }];
    }
  };
}

function encodePart({ kind }: TurnAttachment, file: PlatformFile | undefined): unknown {
  const url = file?.dataUrl ?? '';
  switch (kind) {
    case 'image':
      return { type: 'image_url', image_url: { url } };
    case 'video':
      return { type: 'video_url', video_url: { url } };
    case 'document':
      return { type: 'file', file: { file_data: url, filename: file?.filename ?? '' } };
  }
}

const attachmentsOf = (message: TurnMessage): readonly TurnAttachment[] =>
  message.role === 'user' || message.role === 'tool' ? (message.attachments ?? []) : [];

/** A conversation without a user is refused (protocol 10.2): its last instruction is taken for one. */
function withUser(messages: readonly PlatformMessage[]): readonly PlatformMessage[] {
  if (messages.some(({ role }) => role === 'user' || role === 'tool')) return messages;
  const last = messages.findLastIndex(({ role }) => role === 'system');
  if (last < 0) return [...messages, { role: 'user', content: 'Continue.' }];
  return messages.map((message, index) => (index === last ? { ...message, role: 'user' } : message));
}

/** At the end of what the user said last, or as a word of its own where somebody else spoke last. */
function withClosing(messages: readonly PlatformMessage[], closing: string): PlatformMessage[] {
  if (closing === '') return [...messages];
  const last = messages.at(-1);
  if (last?.role !== 'user') return [...messages, { role: 'user', content: closing }];
  const content =
    typeof last.content === 'string'
      ? [last.content, closing].filter((part) => part !== '').join('\n\n')
      : [...last.content, { type: 'text', text: closing }];
  return [...messages.slice(0, -1), { ...last, content }];
}
