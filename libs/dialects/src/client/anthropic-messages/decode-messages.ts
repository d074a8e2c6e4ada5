import { assertNever, type TurnAttachment, type TurnMessage, type TurnToolCall } from '@zai2api/turn';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { joinParts } from '../request/join-parts.ts';
import { parsePart } from '../request/parse-body.ts';
import { required } from '../request/request-fault.ts';
import { createContentDecoder, type ContentDecoder } from './decode-content.ts';
import type { ToolChange } from './decode-tools.ts';
import {
  compactionBlockSchema,
  messageSchema,
  redactedBlockSchema,
  textBlockSchema,
  thinkingBlockSchema,
  toolChangeSchema,
  toolResultBlockSchema,
  toolUseBlockSchema,
  type WireBlock,
  type WireConversation,
  type WireMessage,
} from './wire-schema.ts';

/** A conversation, and what it says about its tools on the way. */
export interface DecodedMessages {
  readonly messages: readonly TurnMessage[];
  /** In order. */
  readonly toolChanges: readonly ToolChange[];
}

/** How one large client begins a line for its maker's accounting. It changes with every call and is no instruction (contract 3.2). */
const ACCOUNTING = 'x-anthropic-billing-header:';

/**
 * Messages in the neutral form and in order (contract 3.2, 3.3): `system` first, then each message, a user's tool results as messages of
 * their own. Histories that Anthropic would refuse are accepted. `unseal` opens the signatures of thinking that comes back: what is
 * not ours is dropped quietly (contract 0.15).
 */
export function decodeMessages(
  wire: WireConversation,
  unseal: (sealed: string) => string | undefined,
  ignored: IgnoredFields,
): DecodedMessages {
  const toolChanges: ToolChange[] = [];
  const content = createContentDecoder(ignored, (name) => toolChanges.push({ type: 'show', name }));
  const system = decodeSystem(wire.system, ignored);

  function decodeMessage(message: WireMessage, path: string, isCleared: boolean): TurnMessage[] {
    ignored.addUnknown(message, messageSchema.shape, 'messages[].');
    switch (message.role) {
      case 'system': {
        const text = decodeInstructions(message, path);
        return text === '' || isCleared ? [] : [{ role: 'system', text }];
      }
      case 'user':
        return decodeUser(required(message.content, `${path}.content`), `${path}.content`, content);
      case 'assistant':
        return [decodeAssistant(message.content ?? '', `${path}.content`)];
      default:
        return assertNever(message.role);
    }
  }

  function decodeInstructions({ content: instructions = '' }: WireMessage, path: string): string {
    if (typeof instructions === 'string') return instructions;
    return joinParts(
      instructions.map((block, index) => {
        const blockPath = `${path}.content[${index}]`;
        if (block.type !== 'tool_addition' && block.type !== 'tool_removal') return textOf(block, blockPath, ignored);
        const { tool } = parsePart(toolChangeSchema, block, blockPath);
        const name = tool.definition?.name ?? tool.name;
        if (block.type === 'tool_removal') {
          if (name !== undefined) toolChanges.push({ type: 'hide', name });
        } else if (tool.definition) {
          toolChanges.push({ type: 'declare', tool: tool.definition, path: `${blockPath}.tool.definition` });
        } else if (name !== undefined) {
          toolChanges.push({ type: 'show', name });
        }
        return '';
      }),
    );
  }

  function decodeAssistant(blocks: string | readonly WireBlock[], path: string): TurnMessage {
    if (typeof blocks === 'string') return { role: 'assistant', text: blocks, toolCalls: [] };
    const texts: string[] = [];
    const thoughts: string[] = [];
    const toolCalls: TurnToolCall[] = [];
    for (const [index, block] of blocks.entries()) {
      const blockPath = `${path}[${index}]`;
      if (block.type === 'thinking' || block.type === 'redacted_thinking') {
        const thought = unsealThought(block, blockPath, unseal);
        if (thought) thoughts.push(thought);
      } else if (block.type === 'tool_use') {
        const { id, name, input = {} } = parsePart(toolUseBlockSchema, block, blockPath);
        toolCalls.push({ callId: id, name, argumentsText: JSON.stringify(input) });
        // A tool that was called was known, whatever became of the message that made it so.
        toolChanges.push({ type: 'show', name });
      } else {
        texts.push(textOf(block, blockPath, ignored));
      }
    }
    return {
      role: 'assistant',
      text: joinParts(texts),
      toolCalls,
      ...(thoughts.length > 0 && { reasoning: thoughts.join('\n\n') }),
    };
  }

  const lastUser = wire.messages.findLastIndex(({ role }) => role === 'user');
  const messages = wire.messages.flatMap((message, index) =>
    // What was said for one turn alone is said no more once another one began.
    decodeMessage(message, `messages[${index}]`, message.clear_at === 'next_user_message' && index < lastUser),
  );
  return { messages: [...system, ...messages], toolChanges };
}

function decodeSystem(system: WireConversation['system'], ignored: IgnoredFields): TurnMessage[] {
  const blocks = typeof system === 'string' ? [{ type: 'text', text: system }] : (system ?? []);
  const texts = blocks.map((block, index) => textOf(block, `system[${index}]`, ignored));
  if (texts[0]?.startsWith(ACCOUNTING)) texts[0] = texts[0].replace(/^[^\n]*\n?/, '');
  const text = joinParts(texts);
  return text === '' ? [] : [{ role: 'system', text }];
}

/** Results stand before the words that follow them, so the order of the blocks is kept. */
function decodeUser(blocks: string | readonly WireBlock[], path: string, content: ContentDecoder): TurnMessage[] {
  if (typeof blocks === 'string') return [{ role: 'user', text: blocks, attachments: [] }];
  const messages: TurnMessage[] = [];
  let texts: string[] = [];
  let attachments: TurnAttachment[] = [];
  function endWords(): void {
    const text = joinParts(texts);
    if (text !== '' || attachments.length > 0) messages.push({ role: 'user', text, attachments });
    texts = [];
    attachments = [];
  }
  for (const [index, block] of blocks.entries()) {
    if (block.type === 'tool_result') {
      endWords();
      messages.push(decodeToolResult(block, `${path}[${index}]`, content));
    } else {
      const parts = content.decodeBlock(block, `${path}[${index}]`);
      texts.push(parts.text);
      attachments.push(...parts.attachments);
    }
  }
  endWords();
  return messages.length > 0 ? messages : [{ role: 'user', text: '', attachments: [] }];
}

function decodeToolResult(block: WireBlock, path: string, content: ContentDecoder): TurnMessage {
  const { tool_use_id: callId, content: result = '', is_error: failed } = parsePart(toolResultBlockSchema, block, path);
  const { text, attachments } =
    typeof result === 'string' ? { text: result, attachments: [] } : content.decodeBlocks(result, `${path}.content`);
  return {
    role: 'tool',
    callId,
    // The model has no other sign of a failure than words.
    text: failed ? joinParts(['The tool call failed.', text]) : text,
    ...(attachments.length > 0 && { attachments }),
  };
}

function unsealThought(
  block: WireBlock,
  path: string,
  unseal: (sealed: string) => string | undefined,
): string | undefined {
  const sealed =
    block.type === 'thinking'
      ? parsePart(thinkingBlockSchema, block, path).signature
      : parsePart(redactedBlockSchema, block, path).data;
  return sealed === undefined || sealed === '' ? undefined : unseal(sealed);
}

/** The text of a block where only text can be; what a server tool of another maker left there is named as ignored. */
function textOf(block: WireBlock, path: string, ignored: IgnoredFields): string {
  if (block.type === 'text') return parsePart(textBlockSchema, block, path).text;
  if (block.type === 'compaction') return parsePart(compactionBlockSchema, block, path).content ?? '';
  ignored.addUnlessDefault(block.type, true, 'messages[].content[].');
  return '';
}
