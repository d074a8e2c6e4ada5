import { createItemId, type ItemPrefix } from './item-ids.ts';
import { kindOfItem } from './kind-of-item.ts';
import type { WireItem } from './wire-schema.ts';

/** An item with its id, as it is kept and listed. */
export type StoredItem = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** A response as far as the next one goes on from it. */
export interface StoredConversation {
  /** Everything that it was made of, the conversation before it included. */
  readonly input: readonly StoredItem[];
  readonly output: readonly StoredItem[];
}

/** The items of an `input` that may be a bare text, or nothing. */
export function inputItems(input: unknown): readonly unknown[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return Array.isArray(input) ? input : [];
}

const prefixes: ReadonlyMap<string, ItemPrefix> = new Map([
  ['message', 'msg'],
  ['reasoning', 'rs'],
  ['function_call', 'fc'],
  ['custom_tool_call', 'ctc'],
  ['function_call_output', 'fco'],
  ['custom_tool_call_output', 'ctco'],
]);
/** What an item that came whole is: its sender has no more to say about it. */
const finished = 'completed';

/**
 * The items of a request as they are listed and kept (contract 2.2): all with an id and a type, messages with a list of parts. Items that
 * have an id keep it.
 */
export function storeItems(items: readonly WireItem[], responseId: string, firstIndex: number): StoredItem[] {
  return items.map((item, index) => {
    const type = kindOfItem(item);
    const { id } = item;
    const common = {
      ...item,
      type,
      id: id || createItemId(prefixes.get(type) ?? 'item', responseId, 'in', firstIndex + index),
    };
    if (type === 'message') return { ...common, status: finished, content: listParts(item) };
    return prefixes.has(type) && type !== 'reasoning' ? { ...common, status: finished } : common;
  });
}

function listParts({ role, content }: WireItem): unknown {
  if (typeof content !== 'string') return content ?? [];
  return role === 'assistant'
    ? [{ type: 'output_text', text: content, annotations: [], logprobs: [] }]
    : [{ type: 'input_text', text: content }];
}
