import type { TurnMessage, TurnToolCall } from '@zai2api/turn';
import { encodeCustomInput } from '../request/custom-tool.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { joinParts } from '../request/join-parts.ts';
import { parsePart } from '../request/parse-body.ts';
import { missingParameter, required } from '../request/request-fault.ts';
import { decodeContent } from './decode-content.ts';
import { itemNotFound } from './item-not-found.ts';
import { kindOfItem } from './kind-of-item.ts';
import { renderHostedItem } from './render-hosted-item.ts';
import type { ToolNames } from './tool-names.ts';
import {
  callOutputSchema,
  customCallSchema,
  functionCallSchema,
  messageSchema,
  partSchema,
  reasoningItemSchema,
  type WireCallOutput,
  type WireItem,
} from './wire-schema.ts';

/** A conversation as a request holds it. */
export interface WireConversation {
  /** What an earlier response was made of, and itself: ours, and therefore trusted. */
  readonly history: readonly WireItem[];
  readonly input: readonly WireItem[];
}

/** What items are read with: the names of tools, the seals of thoughts, and where to note what has no effect. */
export interface DecodeMessagesOptions {
  readonly names: ToolNames;
  readonly unseal: (sealed: string) => string | undefined;
  readonly ignored: IgnoredFields;
}

/** What the model said in one go: thought, text and calls stand in three items or more on the wire. */
interface Utterance {
  text: string;
  readonly toolCalls: TurnToolCall[];
  readonly thoughts: string[];
}

/**
 * Items in the neutral form (contract 2.4). A thought, the text behind it and the calls behind that become one message, as the model wrote
 * them in one go. Thoughts count from the last message of the user on: between calls and their results the model goes on thinking where it
 * stopped; older ones only cost.
 */
export function decodeMessages(conversation: WireConversation, options: DecodeMessagesOptions): TurnMessage[] {
  const { names, unseal, ignored } = options;
  const { history, input } = conversation;
  const items = [...history, ...input];
  const lastUser = items.findLastIndex((item) => kindOfItem(item) === 'message' && item.role === 'user');
  const messages: TurnMessage[] = [];
  let open: Utterance | undefined;

  function flush(): void {
    if (open && (open.text !== '' || open.toolCalls.length > 0)) {
      const { text, toolCalls, thoughts } = open;
      // At once: a conversation may hold thousands of pieces of thought.
      const reasoning = joinParts(thoughts);
      messages.push({ role: 'assistant', text, toolCalls, ...(reasoning !== '' && { reasoning }) });
    }
    open = undefined;
  }

  /** What is said goes on unless something that comes earlier in an utterance is said again. */
  function say(isNext: (utterance: Utterance) => boolean): Utterance {
    if (open && !isNext(open)) flush();
    return (open ??= { text: '', toolCalls: [], thoughts: [] });
  }

  function sayText(text: string): void {
    if (text !== '') say(({ text: said, toolCalls }) => said === '' && toolCalls.length === 0).text = text;
  }

  function decodeReasoningItem(item: WireItem, path: string, isTrusted: boolean): void {
    const { encrypted_content: sealed, summary = [] } = parsePart(reasoningItemSchema, item, path);
    const shown = isTrusted ? joinParts(summary.map(({ text = '' }) => text)) : '';
    const reasoning = shown || (sealed !== undefined && unseal(sealed)) || '';
    if (reasoning === '') return;
    say(({ text, toolCalls }) => text === '' && toolCalls.length === 0).thoughts.push(reasoning);
  }

  function decodeMessage(item: WireItem, path: string): void {
    const message = parsePart(messageSchema, item, path);
    ignored.addUnknown(message, messageSchema.shape, 'input[].');
    const speaker = message.role === 'developer' ? 'system' : message.role;
    const { text, attachments } = decodeContent(message.content, speaker, `${path}.content`, ignored);
    if (speaker === 'assistant') {
      sayText(text);
      return;
    }
    required(message.content, `${path}.content`);
    flush();
    messages.push(speaker === 'user' ? { role: speaker, text, attachments } : { role: speaker, text });
  }

  function decodeOutput(item: WireItem, path: string): void {
    const output = parsePart(callOutputSchema, item, path);
    const callId = output.call_id ?? output.name;
    if (callId === undefined) throw missingParameter(`${path}.call_id`);
    const { text, attachments } = decodeOutputContent(output, path);
    flush();
    messages.push({ role: 'tool', callId, text, ...(attachments.length > 0 && { attachments }) });
  }

  function decodeOutputContent({ output }: WireCallOutput, path: string): ReturnType<typeof decodeContent> {
    if (output === undefined) return { text: '', attachments: [] };
    if (typeof output === 'string') return { text: output, attachments: [] };
    if (!Array.isArray(output)) return { text: JSON.stringify(output), attachments: [] };
    const parts = output.map((part, index) => parsePart(partSchema, part, `${path}.output[${index}]`));
    return decodeContent(parts, 'tool', `${path}.output`, ignored);
  }

  function decodeItem(item: WireItem, index: number): void {
    const path = `input[${index - history.length}]`;
    const kind = kindOfItem(item);
    switch (kind) {
      case 'message':
        decodeMessage(item, path);
        break;
      case 'function_call': {
        const call = parsePart(functionCallSchema, item, path);
        say(() => true).toolCalls.push({
          callId: call.call_id,
          name: names.modelNameOf(call.name, call.namespace),
          argumentsText: asJsonText(call.arguments),
        });
        break;
      }
      case 'custom_tool_call': {
        const call = parsePart(customCallSchema, item, path);
        say(() => true).toolCalls.push({
          callId: call.call_id,
          name: names.modelNameOf(call.name, call.namespace),
          argumentsText: encodeCustomInput(call.input ?? ''),
        });
        break;
      }
      case 'function_call_output':
      case 'custom_tool_call_output':
        decodeOutput(item, path);
        break;
      case 'reasoning':
        if (index > lastUser) decodeReasoningItem(item, path, index < history.length);
        break;
      case 'item_reference':
        throw itemNotFound(item.id ?? '');
      case 'additional_tools':
        break;
      default: {
        const rendered = renderHostedItem(kind, item);
        if (!rendered) ignored.addUnlessDefault(kind, true, 'input[].');
        else if (rendered.speaker === 'assistant') sayText(rendered.text);
        else {
          flush();
          messages.push({ role: 'user', text: rendered.text, attachments: [] });
        }
      }
    }
  }

  items.forEach(decodeItem);
  flush();
  return messages;
}

function asJsonText(value: string | Readonly<Record<string, unknown>> | undefined): string {
  return typeof value === 'string' ? value || '{}' : JSON.stringify(value ?? {});
}
