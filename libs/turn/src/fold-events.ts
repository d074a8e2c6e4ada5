import { assertNever } from './assert-never.ts';
import type { TurnEvent } from './turn-event.ts';
import { TurnError } from './turn-error.ts';
import type { TurnToolCall } from './turn-request.ts';
import type { TurnResult } from './turn-result.ts';

/** Collects a stream into one answer. */
export interface EventFold {
  /** Takes the next event. Throws the error of a `turn-error`. */
  push(event: TurnEvent): void;
  /** The whole answer. Throws `upstream_failed` when the stream had no end. */
  result(): TurnResult;
}

/** A fold for one turn: the only way to a whole answer, so that streamed and whole answers cannot differ. */
export function createEventFold(): EventFold {
  let start: Extract<TurnEvent, { type: 'turn-start' }> | undefined;
  let end: Extract<TurnEvent, { type: 'turn-end' }> | undefined;
  let reasoning = '';
  let text = '';
  let call: { callId: string; name: string; argumentsText: string } | undefined;
  let refusal: string | undefined;
  const toolCalls: TurnToolCall[] = [];
  const sources: { url: string; title: string }[] = [];

  return {
    push(event) {
      switch (event.type) {
        case 'turn-start':
          start = event;
          break;
        case 'reasoning-delta':
          reasoning += event.text;
          break;
        case 'text-delta':
          text += event.text;
          break;
        case 'tool-call-start':
          call = { callId: event.callId, name: event.name, argumentsText: '' };
          break;
        case 'tool-call-delta':
          if (call) call.argumentsText += event.argumentsText;
          break;
        case 'tool-call-end':
          if (call) toolCalls.push(call);
          call = undefined;
          break;
        case 'source':
          sources.push({ url: event.url, title: event.title });
          break;
        case 'refusal':
          refusal = event.text;
          break;
        case 'turn-end':
          end = event;
          break;
        case 'turn-error':
          throw event.error;
        case 'reasoning-start':
          if (reasoning) reasoning += '\n\n';
          break;
        case 'text-start':
        case 'text-end':
        case 'reasoning-end':
          break;
        default:
          assertNever(event);
      }
    },
    result() {
      if (!start || !end)
        throw new TurnError('upstream_failed', 'The answer ended before it was complete.', { layer: 'upstream' });
      const { id, model, createdAt, warnings } = start;
      return {
        id,
        model,
        createdAt,
        warnings,
        reasoning,
        text,
        toolCalls,
        sources,
        ...(refusal !== undefined && { refusal }),
        finishReason: end.reason,
        usage: end.usage,
      };
    },
  };
}

/** The whole answer of a finished stream. Throws what the stream ended with when that was an error. */
export function foldEvents(events: Iterable<TurnEvent>): TurnResult {
  const fold = createEventFold();
  for (const event of events) fold.push(event);
  return fold.result();
}
