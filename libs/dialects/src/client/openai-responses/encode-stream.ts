import type { TurnError } from '@zai2api/turn';
import { answerBrokeOff, assertNever, type TurnEvent } from '@zai2api/turn';
import type { StreamEncoder } from '../client-dialect.ts';
import { STREAM_END } from './conclude-response.ts';
import { encodeResponseFailure } from './encode-error.ts';
import type { ResponsesForm } from './encode-response.ts';
import { encodeUsage } from './encode-usage.ts';
import { createItemWriter } from './item-writer.ts';
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
  /** The response is not kept any more: whatever is written from now on says so. */
  markNotStored(): void;
  /** The last event once more, under its number, with the response as it is now, and the end of the stream. `''` before the end. */
  repeatEnd(): string;
  /** The response as it is now. */
  describe(): ResponseObject;
  /** The number of the next event. */
  readonly nextSequenceNumber: number;
  /** There will be no more events. */
  readonly isOver: boolean;
}

/** Writes the event stream (contract 2.7): the states of the response round the events of its items. */
export function createResponsesStreamEncoder(form: ResponsesForm): ResponsesStreamEncoder {
  let identity = form.identity();
  let sequence = 0;
  let state: ResponseState = { status: 'in_progress', model: identity.asked.model ?? '', output: [] };
  let last: { readonly type: string; readonly number: number } | undefined;
  let phase: 'new' | 'queued' | 'running' | 'ended' = 'new';

  const describe = (): ResponseObject => describeResponse(identity, state);
  const write = (type: string, fields: object): string => encodeResponseEvent(type, sequence++, fields);
  const writeState = (type: string): string => write(type, { response: describe() });
  const items = createItemWriter({ identity, form, write, takeNumber: () => sequence++ });

  function begin(model: string): string {
    state = { ...state, status: 'in_progress', model };
    const created = phase === 'new' ? writeState('response.created') : '';
    phase = 'running';
    return created + writeState('response.in_progress');
  }

  function finish(event: Extract<TurnEvent, { type: 'turn-end' }>): string {
    const { status, incompleteReason } = endings[event.reason];
    const closed = items.close(status, true);
    state = {
      ...state,
      status,
      output: items.output,
      completedAtMs: form.now(),
      ...(incompleteReason && { incompleteReason }),
      usage: encodeUsage(event.usage),
    };
    return closed + end(`response.${status}`);
  }

  /** Nothing is said of the end of an item that broke off, so that nobody runs half a call; the response holds what there is of it. */
  function breakOff(status: 'failed' | 'cancelled', error?: TurnError): string {
    const created = phase === 'new' ? begin(state.model) : '';
    const rest = items.broken();
    state = {
      ...state,
      status,
      output: rest ? [...items.output, rest] : items.output,
      ...(error && { error: encodeResponseFailure(error) }),
    };
    // There is no event of this name that official clients know: the status says what it was.
    return created + end(status === 'failed' ? 'response.failed' : 'response.incomplete');
  }

  function end(type: string): string {
    phase = 'ended';
    last = { type, number: sequence++ };
    return repeatEnd();
  }

  function repeatEnd(): string {
    if (!last) return '';
    return encodeResponseEvent(last.type, last.number, { response: describe() }) + STREAM_END;
  }

  const push = (event: TurnEvent): string => {
    if (phase === 'ended') return '';
    switch (event.type) {
      case 'text-delta':
        return items.writeDelta('text', event.text);
      case 'reasoning-delta':
        return items.writeDelta('reasoning', event.text);
      case 'tool-call-delta':
        return items.grow(event.argumentsText);
      case 'turn-start':
        return phase === 'running' ? '' : begin(event.model);
      case 'tool-call-start':
        return items.openCall({ callId: event.callId, name: event.name });
      case 'tool-call-end':
        return items.close('completed', false);
      case 'source':
        items.addSource({ url: event.url, title: event.title });
        return '';
      case 'refusal':
        return items.writeRefusal(event.text);
      case 'text-start':
      case 'reasoning-start':
        items.startBlock();
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
      const error = answerBrokeOff();
      return push({ type: 'turn-error', error });
    },
    queue(model) {
      phase = 'queued';
      state = { ...state, status: 'queued', model };
      return writeState('response.created') + writeState('response.queued');
    },
    begin,
    cancel: () => (phase === 'ended' ? '' : breakOff('cancelled')),
    markNotStored() {
      identity = { ...identity, isStored: false };
    },
    repeatEnd,
    describe,
    get nextSequenceNumber() {
      return sequence;
    },
    get isOver() {
      return phase === 'ended';
    },
  };
}
