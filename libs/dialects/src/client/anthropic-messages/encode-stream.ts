import type { TurnError } from '@zai2api/turn';
import { answerBrokeOff, assertNever, type TurnEvent, type TurnSource } from '@zai2api/turn';
import type { AnswerContext, StreamEncoder } from '../client-dialect.ts';
import { encodeCitation, encodeText, encodeThinking, encodeToolUse } from './encode-blocks.ts';
import { encodeAnthropicErrorFrame } from './encode-error.ts';
import { encodeMessage, type ThinkingForm } from './encode-response.ts';
import { encodeTotals, encodeUsage } from './encode-usage.ts';
import { encodeStop } from './stop-reason.ts';

const notStopped = { stop_reason: null, stop_sequence: null, stop_details: null };
const ping = frame('ping', '');

/**
 * Writes the event stream (contract 3.5): names equal types, indices without gaps, nothing empty, the seal of a thought as its last delta,
 * no end marker. A block is opened by its first content, as a block without any would be refused when it comes back. Every token passes
 * here: a delta costs one `JSON.stringify` of its own text and two concatenations.
 */
export function createAnthropicMessagesStreamEncoder(
  { thinkingDisplay, seal }: ThinkingForm,
  { countInput }: AnswerContext,
): StreamEncoder {
  let started = false;
  let ended = false;
  let index = -1;
  let isOpen = false;
  /** What precedes the text of a delta of the open block. */
  let head = '';
  let thought = '';
  let hasArguments = false;
  let hasToolCalls = false;
  let refusal: string | undefined;
  /** Named since the last text; they are cited at the end of the next one, which may have been written with them in mind. */
  let sources: TurnSource[] = [];

  function openBlock(block: object, deltaHead: string): string {
    if (!started) throw new Error('An event came before turn-start.');
    index += 1;
    isOpen = true;
    head = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{${deltaHead}`;
    return frame('content_block_start', `,"index":${index},"content_block":${JSON.stringify(block)}`);
  }
  const writeDelta = (text: string): string => `${head}${JSON.stringify(text)}}}\n\n`;
  function closeBlock(): string {
    if (!isOpen) return '';
    isOpen = false;
    return frame('content_block_stop', `,"index":${index}`);
  }
  function think(text: string): string {
    const opening = isOpen ? '' : openBlock(encodeThinking('', ''), '"type":"thinking_delta","thinking":');
    thought += text;
    return thinkingDisplay === 'omitted' ? opening : opening + writeDelta(text);
  }
  function endThought(): string {
    if (!isOpen) return '';
    const delta = { type: 'signature_delta', signature: seal(thought) };
    thought = '';
    return frame('content_block_delta', `,"index":${index},"delta":${JSON.stringify(delta)}`) + closeBlock();
  }
  function endText(): string {
    if (!isOpen) return '';
    const citations = sources.map((source) => {
      const delta = { type: 'citations_delta', citation: encodeCitation(source) };
      return frame('content_block_delta', `,"index":${index},"delta":${JSON.stringify(delta)}`);
    });
    sources = [];
    return citations.join('') + closeBlock();
  }
  function start(event: Extract<TurnEvent, { type: 'turn-start' }>): string {
    started = true;
    const usage = encodeUsage({ inputTokens: countInput(), outputTokens: 0, cachedInputTokens: 0 }, 0);
    const message = encodeMessage(event, [], notStopped, usage);
    return frame('message_start', `,"message":${JSON.stringify(message)}`) + ping;
  }
  function finish({ reason, stopSequence, usage }: Extract<TurnEvent, { type: 'turn-end' }>): string {
    ended = true;
    const delta = { ...encodeStop({ reason, hasToolCalls, stopSequence, refusal }), container: null };
    const totals = encodeTotals(usage, usage.reasoningTokens);
    return (
      frame('message_delta', `,"delta":${JSON.stringify(delta)},"usage":${JSON.stringify(totals)}`) +
      frame('message_stop', '')
    );
  }
  function writeError(error: TurnError): string {
    ended = true;
    return encodeAnthropicErrorFrame(error);
  }

  return {
    heartbeat: ping,
    push(event) {
      if (ended) return '';
      switch (event.type) {
        case 'text-delta':
          return (isOpen ? '' : openBlock(encodeText(''), '"type":"text_delta","text":')) + writeDelta(event.text);
        case 'reasoning-delta':
          return think(event.text);
        case 'tool-call-delta':
          hasArguments = true;
          return writeDelta(event.argumentsText);
        case 'turn-start':
          return start(event);
        case 'tool-call-start':
          hasArguments = false;
          hasToolCalls = true;
          return (
            openBlock(encodeToolUse(event.callId, event.name, {}), '"type":"input_json_delta","partial_json":') +
            writeDelta('')
          );
        case 'tool-call-end':
          // Not every client reads no text at all as no arguments.
          return (hasArguments ? '' : writeDelta('{}')) + closeBlock();
        case 'text-end':
          return endText();
        case 'reasoning-end':
          return endThought();
        case 'refusal':
          refusal = event.text;
          return '';
        case 'source':
          sources.push({ url: event.url, title: event.title });
          return '';
        case 'text-start':
        case 'reasoning-start':
          return '';
        case 'turn-end':
          if (!started) throw new Error('An event came before turn-start.');
          return finish(event);
        case 'turn-error':
          return writeError(event.error);
        default:
          return assertNever(event);
      }
    },
    end() {
      if (ended) return '';
      return writeError(answerBrokeOff());
    },
  };
}

/** One event; `fields` follow its type. JSON has no raw line breaks, so it is always one `data:` line. */
function frame(type: string, fields: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${fields}}\n\n`;
}
