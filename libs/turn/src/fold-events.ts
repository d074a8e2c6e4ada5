import { assertNever } from './assert-never.ts';
import type { TurnEvent } from './turn-event.ts';
import type { TurnToolCall } from './turn-request.ts';
import type { TurnBlock, TurnResult, TurnSource } from './turn-result.ts';
import { answerBrokeOff } from './answer-broke-off.ts';

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
  let open = '';
  let call: { callId: string; name: string } | undefined;
  let refusal: string | undefined;
  const blocks: TurnBlock[] = [];
  const sources: TurnSource[] = [];
  /** Named since the last text. */
  let unplaced: TurnSource[] = [];

  return {
    push(event) {
      switch (event.type) {
        case 'turn-start':
          start = event;
          break;
        case 'reasoning-start':
        case 'text-start':
          open = '';
          break;
        case 'reasoning-delta':
        case 'text-delta':
          open += event.text;
          break;
        case 'reasoning-end':
          blocks.push({ type: 'reasoning', text: open });
          break;
        case 'text-end':
          blocks.push({ type: 'text', text: open, ...(open !== '' && unplaced.length > 0 && { sources: unplaced }) });
          if (open !== '') unplaced = [];
          break;
        case 'tool-call-start':
          call = { callId: event.callId, name: event.name };
          open = '';
          break;
        case 'tool-call-delta':
          open += event.argumentsText;
          break;
        case 'tool-call-end':
          if (call) blocks.push({ type: 'tool-call', ...call, argumentsText: open });
          call = undefined;
          break;
        case 'source':
          sources.push({ url: event.url, title: event.title });
          unplaced.push({ url: event.url, title: event.title });
          break;
        case 'refusal':
          refusal = event.text;
          break;
        case 'turn-end':
          end = event;
          break;
        case 'turn-error':
          throw event.error;
        default:
          assertNever(event);
      }
    },
    result() {
      if (!start || !end) throw answerBrokeOff();
      const { id, model, createdAt, warnings } = start;
      return {
        id,
        model,
        createdAt,
        warnings,
        blocks,
        reasoning: joinBlocks(blocks, 'reasoning', '\n\n'),
        text: joinBlocks(blocks, 'text', ''),
        toolCalls: blocks.flatMap((block) => (block.type === 'tool-call' ? [toolCallOf(block)] : [])),
        sources,
        ...(refusal !== undefined && { refusal }),
        finishReason: end.reason,
        ...(end.stopSequence !== undefined && { stopSequence: end.stopSequence }),
        usage: end.usage,
      };
    },
  };
}

function joinBlocks(blocks: readonly TurnBlock[], type: 'reasoning' | 'text', separator: string): string {
  let all = '';
  for (const block of blocks) if (block.type === type) all += all === '' ? block.text : separator + block.text;
  return all;
}

const toolCallOf = ({ callId, name, argumentsText }: TurnToolCall): TurnToolCall => ({ callId, name, argumentsText });

/** The whole answer of a finished stream. Throws what the stream ended with when that was an error. */
export function foldEvents(events: Iterable<TurnEvent>): TurnResult {
  const fold = createEventFold();
  for (const event of events) fold.push(event);
  return fold.result();
}
