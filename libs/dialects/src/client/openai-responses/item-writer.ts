import { callItem, reasoningItem, refusalItem, type ResponsesForm } from './encode-response.ts';
import { createItemId } from './item-ids.ts';
import { citeSources, summaryPart, textPart, type ItemStatus, type OutputItem } from './output-items.ts';
import type { ResponseIdentity } from './response-object.ts';

/** Writes the events of the items of one response, one item behind the other. What is returned is the text of frames. */
export interface ItemWriter {
  /** The items that are done. */
  readonly output: readonly OutputItem[];
  /** What comes next is an item of its own, should it be of the same kind. */
  startBlock(): void;
  /** Some text, in the item that is open when it is of this kind, else in a new one. Not empty. */
  writeDelta(kind: 'reasoning' | 'text', text: string): string;
  openCall(call: { readonly callId: string; readonly name: string }): string;
  /** More of the open item. Throws when none is open. */
  grow(text: string): string;
  /** Ends the open item, if there is one. `isLast`: no other follows, so that sources which nothing cites have to go here. */
  close(status: ItemStatus, isLast: boolean): string;
  /** An item of its own that holds a refusal. */
  writeRefusal(refusal: string): string;
  addSource(source: { readonly url: string; readonly title: string }): void;
  /** What there is of the open item, which breaks off. */
  broken(): OutputItem | undefined;
}

/** What items are written with. */
export interface ItemWriterOptions {
  readonly identity: ResponseIdentity;
  readonly form: ResponsesForm;
  /** Writes one event under the next number. */
  readonly write: (type: string, fields: object) => string;
  /** The number of the next event, which it takes. */
  readonly takeNumber: () => number;
}

/** The item that is being written. */
interface OpenItem {
  readonly kind: 'reasoning' | 'text' | 'call';
  readonly id: string;
  /** In pieces: they are joined once. */
  readonly text: string[];
  readonly call?: { readonly callId: string; readonly name: string };
  /** The constant text of its deltas, round the number and the text; absent where there are none. */
  readonly delta?: { readonly head: string; readonly middle: string; readonly tail: string };
}

/**
 * Items are opened by their first character, as nothing empty is sent, and closed when the next one begins or the turn ends: whether a text was
 * cut, and which sources it cites, is known only then. Every token passes here, so the constant text of a delta is built once per item.
 */
export function createItemWriter({ identity, form, write, takeNumber }: ItemWriterOptions): ItemWriter {
  let open: OpenItem | undefined;
  /** A block has begun of which nothing has come. */
  let isNewBlock = false;
  const output: OutputItem[] = [];
  const sources: { readonly url: string; readonly title: string }[] = [];

  const place = ({ id }: OpenItem): object => ({ item_id: id, output_index: output.length });

  function openItem(kind: OpenItem['kind'], call?: OpenItem['call']): string {
    const closed = close('completed', false);
    const index = output.length;
    if (kind === 'call' && call) {
      const item = { ...callItem({ ...call, argumentsText: '{}' }, identity, index, form), status: 'in_progress' };
      const { id, type } = item;
      const isFunction = type === 'function_call';
      open = {
        kind,
        id,
        text: [],
        call,
        // Free text is read out of its arguments once they are whole.
        ...(isFunction && { delta: deltaOf('response.function_call_arguments.delta', id, index, '', '') }),
      };
      const empty = isFunction ? { ...item, arguments: '' } : { ...item, input: '' };
      return closed + write('response.output_item.added', { output_index: index, item: empty });
    }
    const prefix = kind === 'reasoning' ? 'rs' : 'msg';
    const id = createItemId(prefix, identity.id, 'out', index);
    const added = (item: object): string =>
      write('response.output_item.added', { output_index: index, item: { id, ...item, status: 'in_progress' } });
    if (kind === 'reasoning') {
      const delta = deltaOf('response.reasoning_summary_text.delta', id, index, ',"summary_index":0', '');
      open = { kind, id, text: [], delta };
      const part = { ...place(open), summary_index: 0, part: summaryPart('') };
      return closed + added({ type: 'reasoning', summary: [] }) + write('response.reasoning_summary_part.added', part);
    }
    const delta = deltaOf('response.output_text.delta', id, index, ',"content_index":0', ',"logprobs":[]');
    open = { kind, id, text: [], delta };
    const part = { ...place(open), content_index: 0, part: textPart('') };
    return (
      closed + added({ type: 'message', role: 'assistant', content: [] }) + write('response.content_part.added', part)
    );
  }

  function writeDelta(kind: 'reasoning' | 'text', text: string): string {
    const opened = open?.kind === kind && !isNewBlock ? '' : openItem(kind);
    isNewBlock = false;
    return opened + grow(text);
  }

  function grow(text: string): string {
    if (!open) throw new Error('An event came outside of its block.');
    open.text.push(text);
    const { delta } = open;
    return delta ? `${delta.head}${takeNumber()}${delta.middle}${JSON.stringify(text)}${delta.tail}` : '';
  }

  function close(status: ItemStatus, isLast: boolean): string {
    if (!open) return '';
    const item = open;
    const at = place(item);
    const written =
      item.kind === 'reasoning'
        ? closeReasoning(item, at, status)
        : item.kind === 'text'
          ? closeText(item, at, status, isLast)
          : closeCall(item, at);
    open = undefined;
    const index = output.length;
    output.push(written.item);
    return written.text + write('response.output_item.done', { output_index: index, item: written.item });
  }

  function closeReasoning(item: OpenItem, at: object, status: ItemStatus): { text: string; item: OutputItem } {
    const text = item.text.join('');
    const done = { ...at, summary_index: 0 };
    return {
      text:
        write('response.reasoning_summary_text.done', { ...done, text }) +
        write('response.reasoning_summary_part.done', { ...done, part: summaryPart(text) }),
      item: reasoningItem(item.id, text, status, form),
    };
  }

  function closeText(
    item: OpenItem,
    at: object,
    status: ItemStatus,
    isLast: boolean,
  ): { text: string; item: OutputItem } {
    const text = item.text.join('');
    const done = { ...at, content_index: 0 };
    const annotations = citeSources(sources, text, isLast);
    const cited = annotations.map((annotation, index) =>
      write('response.output_text.annotation.added', { ...done, annotation_index: index, annotation }),
    );
    const part = textPart(text, annotations);
    return {
      text:
        cited.join('') +
        write('response.output_text.done', { ...done, text, logprobs: [] }) +
        write('response.content_part.done', { ...done, part }),
      item: { id: item.id, type: 'message', role: 'assistant', status, content: [part] },
    };
  }

  function closeCall(item: OpenItem, at: object): { text: string; item: OutputItem } {
    const argumentsText = item.text.join('');
    const { callId = '', name = '' } = item.call ?? {};
    const call = callItem({ callId, name, argumentsText }, identity, output.length, form);
    if (call.type === 'function_call') {
      const { name: calledName, arguments: whole } = call;
      // Clients join the deltas and parse them.
      const delta =
        argumentsText === '' ? write('response.function_call_arguments.delta', { ...at, delta: whole }) : '';
      const done = { ...at, name: calledName, arguments: whole };
      return { text: delta + write('response.function_call_arguments.done', done), item: call };
    }
    const { input } = call;
    const delta = input === '' ? '' : write('response.custom_tool_call_input.delta', { ...at, delta: input });
    return { text: delta + write('response.custom_tool_call_input.done', { ...at, input }), item: call };
  }

  function writeRefusal(refusal: string): string {
    const closed = close('completed', false);
    const index = output.length;
    const item = refusalItem(refusal, identity, index);
    const at = { item_id: item.id, output_index: index, content_index: 0 };
    output.push(item);
    return [
      closed,
      write('response.output_item.added', {
        output_index: index,
        item: { ...item, status: 'in_progress', content: [] },
      }),
      write('response.content_part.added', { ...at, part: { type: 'refusal', refusal: '' } }),
      write('response.refusal.delta', { ...at, delta: refusal }),
      write('response.refusal.done', { ...at, refusal }),
      write('response.content_part.done', { ...at, part: { type: 'refusal', refusal } }),
      write('response.output_item.done', { output_index: index, item }),
    ].join('');
  }

  function describeBroken(item: OpenItem): OutputItem {
    const text = item.text.join('');
    const status = 'incomplete';
    if (item.kind === 'reasoning') return reasoningItem(item.id, text, status, form);
    if (item.kind === 'text')
      return { id: item.id, type: 'message', role: 'assistant', status, content: [textPart(text)] };
    const { callId = '', name = '' } = item.call ?? {};
    const call = callItem({ callId, name, argumentsText: text }, identity, output.length, form);
    return call.type === 'function_call' ? { ...call, arguments: text, status } : { ...call, status };
  }

  return {
    output,
    startBlock() {
      isNewBlock = true;
    },
    writeDelta,
    openCall: (call) => openItem('call', call),
    grow,
    close,
    writeRefusal,
    addSource: (source) => void sources.push(source),
    broken: () => open && describeBroken(open),
  };
}

function deltaOf(type: string, id: string, index: number, at: string, tail: string): NonNullable<OpenItem['delta']> {
  return {
    head: `event: ${type}\ndata: {"type":"${type}","sequence_number":`,
    middle: `,"item_id":${JSON.stringify(id)},"output_index":${index}${at},"delta":`,
    tail: `${tail}}\n\n`,
  };
}
