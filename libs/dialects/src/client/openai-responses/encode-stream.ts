import { assertNever, TurnError, type TurnEvent } from '@zai2api/turn';
import type { StreamEncoder } from '../client-dialect.ts';
import { encodeResponseFailure } from './encode-error.ts';
import { callItem, reasoningItem, refusalItem, type ResponsesForm } from './encode-response.ts';
import { encodeUsage } from './encode-usage.ts';
import { createItemId } from './item-ids.ts';
import { citeSources, summaryPart, textPart, type ItemStatus, type OutputItem } from './output-items.ts';
import { describeResponse, endings, type ResponseObject, type ResponseState } from './response-object.ts';
import { encodeResponseEvent } from './response-event.ts';

/** Writes the events of one response, which may be more than one connection's (contract 2.7). */
export interface ResponsesStreamEncoder extends StreamEncoder {
  /** The first events of a response that waits for its turn. */
  queue(model: string): string;
  /** The first events of a response whose turn is on its way. */
  begin(model: string): string;
  /** The last events of a response that was called off. After a proper end this is `''`. */
  cancel(): string;
  /** The response as it is now. */
  describe(): ResponseObject;
  /** The number of the next event. */
  readonly nextSequenceNumber: number;
  /** There will be no more events. */
  readonly isOver: boolean;
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
 * Writes the event stream (contract 2.7). Items are opened by their first character, as nothing empty is sent, and closed when the next one
 * begins or the turn ends: whether a text was cut, and which sources it cites, is known only then. Every token passes here, so the constant
 * text of a delta is built once per item.
 */
export function createResponsesStreamEncoder(form: ResponsesForm): ResponsesStreamEncoder {
  const identity = form.identity();
  let sequence = 0;
  let state: ResponseState = { status: 'in_progress', model: identity.asked.model ?? '', output: [] };
  let phase: 'new' | 'queued' | 'running' | 'ended' = 'new';
  let open: OpenItem | undefined;
  /** A block has begun of which nothing has come. */
  let isNewBlock = false;
  const output: OutputItem[] = [];
  const sources: { readonly url: string; readonly title: string }[] = [];

  const describe = (): ResponseObject => describeResponse(identity, state);
  const write = (type: string, fields: object): string => encodeResponseEvent(type, sequence++, fields);
  const writeState = (type: string): string => write(type, { response: describe() });
  const place = ({ id }: OpenItem): object => ({ item_id: id, output_index: output.length });

  function begin(model: string): string {
    state = { ...state, status: 'in_progress', model };
    const created = phase === 'new' ? writeState('response.created') : '';
    phase = 'running';
    return created + writeState('response.in_progress');
  }

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
    return delta ? `${delta.head}${sequence++}${delta.middle}${JSON.stringify(text)}${delta.tail}` : '';
  }

  /** Ends the open item. `isLast`: no other follows, so that sources which nothing cites have to go here. */
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

  function finish(event: Extract<TurnEvent, { type: 'turn-end' }>): string {
    const { status, incompleteReason } = endings[event.reason];
    const closed = close(status, true);
    state = {
      ...state,
      status,
      output,
      completedAtMs: form.now(),
      ...(incompleteReason && { incompleteReason }),
      usage: encodeUsage(event.usage),
    };
    return closed + end(`response.${status}`);
  }

  /** Nothing is said of the end of an item that broke off, so that nobody runs half a call; the response holds what there is of it. */
  function breakOff(status: 'failed' | 'cancelled', error?: TurnError): string {
    const created = phase === 'new' ? begin(state.model) : '';
    const rest = open && brokenItem(open);
    state = {
      ...state,
      status,
      output: rest ? [...output, rest] : output,
      ...(error && { error: encodeResponseFailure(error) }),
    };
    // There is no event of this name that official clients know: the status says what it was.
    return created + end(status === 'failed' ? 'response.failed' : 'response.incomplete');
  }

  function brokenItem(item: OpenItem): OutputItem {
    const text = item.text.join('');
    const status = 'incomplete';
    if (item.kind === 'reasoning') return reasoningItem(item.id, text, status, form);
    if (item.kind === 'text')
      return { id: item.id, type: 'message', role: 'assistant', status, content: [textPart(text)] };
    const { callId = '', name = '' } = item.call ?? {};
    const call = callItem({ callId, name, argumentsText: text }, identity, output.length, form);
    return call.type === 'function_call' ? { ...call, arguments: text, status } : { ...call, status };
  }

  function end(type: string): string {
    phase = 'ended';
    return `${writeState(type)}data: [DONE]\n\n`;
  }

  const push = (event: TurnEvent): string => {
    if (phase === 'ended') return '';
    switch (event.type) {
      case 'text-delta':
        return writeDelta('text', event.text);
      case 'reasoning-delta':
        return writeDelta('reasoning', event.text);
      case 'tool-call-delta':
        return grow(event.argumentsText);
      case 'turn-start':
        return phase === 'running' ? '' : begin(event.model);
      case 'tool-call-start':
        return openItem('call', { callId: event.callId, name: event.name });
      case 'tool-call-end':
        return close('completed', false);
      case 'source':
        sources.push({ url: event.url, title: event.title });
        return '';
      case 'refusal':
        return writeRefusal(event.text);
      case 'text-start':
      case 'reasoning-start':
        isNewBlock = true;
        return '';
      case 'text-end':
      case 'reasoning-end':
        return '';
      case 'turn-end':
        return finish(event);
      case 'turn-error':
        return breakOff('failed', event.error);
      default:
        return assertNever(event);
    }
  };

  return {
    push,
    end() {
      if (phase === 'ended') return '';
      const error = new TurnError('upstream_failed', 'The answer ended before it was complete.', { layer: 'upstream' });
      return push({ type: 'turn-error', error });
    },
    queue(model) {
      phase = 'queued';
      state = { ...state, status: 'queued', model };
      return writeState('response.created') + writeState('response.queued');
    },
    begin,
    cancel: () => (phase === 'ended' ? '' : breakOff('cancelled')),
    describe,
    get nextSequenceNumber() {
      return sequence;
    },
    get isOver() {
      return phase === 'ended';
    },
  };
}

function deltaOf(type: string, id: string, index: number, at: string, tail: string): NonNullable<OpenItem['delta']> {
  return {
    head: `event: ${type}\ndata: {"type":"${type}","sequence_number":`,
    middle: `,"item_id":${JSON.stringify(id)},"output_index":${index}${at},"delta":`,
    tail: `${tail}}\n\n`,
  };
}
