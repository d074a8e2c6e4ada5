import type { TurnError } from '@zai2api/turn';
import { answerBrokeOff, assertNever, type TurnEvent } from '@zai2api/turn';
import type { StreamEncoder } from '../client-dialect.ts';
import type { OpenAiChatForm } from './decode-request.ts';
import { encodeAnnotations } from './encode-annotation.ts';
import { encodeOpenAiErrorFrame } from '../encode-openai-error.ts';
import { encodeOpenAiUsage } from '../encode-openai-usage.ts';
import { encodeFinishReason } from './finish-reason.ts';

/** What all chunks of one stream share, as text. */
interface ChunkText {
  /** Up to the value of `choices`. */
  readonly head: string;
  /** Up to the inside of `delta`. */
  readonly delta: string;
  /** From the end of `delta` to the end of the frame, not finished yet. */
  readonly tail: string;
  /** From the end of the chunk's own fields to the end of the frame. */
  readonly close: string;
}

/**
 * Writes the chunk stream (contract 1.4): one kind of payload per chunk, nothing empty, usage only when asked, `[DONE]` only after a
 * proper end. Every token passes here, so the constant text round it is built once per stream and a delta costs one
 * `JSON.stringify` of its own text and one concatenation. Building and serialising a whole chunk object per token costs more than
 * twice that. JSON has no raw line breaks, so a chunk is always one `data:` line; lone surrogates leave as escapes, and halves of a
 * character that was split over two deltas meet again in the client.
 */
export function createOpenAiChatStreamEncoder({ includeUsage, legacyFunctions }: OpenAiChatForm): StreamEncoder {
  let chunk: ChunkText | undefined;
  let ended = false;
  let hasReasoning = false;
  let toolCalls = 0;
  let hasArguments = false;
  /** In pieces: only citations need it, at the end. */
  const content: string[] = [];
  const sources: { readonly url: string; readonly title: string }[] = [];

  const writeDelta = (fields: string): string => {
    if (!chunk) throw new Error('An event came before turn-start.');
    return chunk.delta + fields + chunk.tail;
  };
  const writeCall = (named: string, call: string): string => {
    if (!legacyFunctions) return writeDelta(`"tool_calls":[{"index":${toolCalls - 1},${named}"function":{${call}}}]`);
    // The legacy shape has room for one call and no id.
    return toolCalls === 1 ? writeDelta(`"function_call":{${call}}`) : '';
  };
  const writeArguments = (argumentsText: string): string =>
    writeCall('', `"arguments":${JSON.stringify(argumentsText)}`);
  const writeError = (error: TurnError): string => {
    ended = true;
    return encodeOpenAiErrorFrame(error);
  };
  const start = (event: Extract<TurnEvent, { type: 'turn-start' }>): string => {
    const id = JSON.stringify(`chatcmpl-${event.id}`);
    const created = Math.floor(event.createdAt / 1000);
    const head = `data: {"id":${id},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(event.model)},"choices":`;
    const close = includeUsage ? ',"usage":null}\n\n' : '}\n\n';
    chunk = { head, delta: `${head}[{"index":0,"delta":{`, tail: `},"finish_reason":null}]${close}`, close };
    return writeDelta('"role":"assistant","content":null');
  };
  const finish = (event: Extract<TurnEvent, { type: 'turn-end' }>): string => {
    if (!chunk) throw new Error('An event came before turn-start.');
    ended = true;
    // All in one: official clients keep only the last value of a field that they do not know to be a list.
    const annotations =
      sources.length === 0
        ? ''
        : writeDelta(`"annotations":${JSON.stringify(encodeAnnotations(sources, content.join('')))}`);
    const reason = encodeFinishReason(event.reason, toolCalls > 0, legacyFunctions);
    const last = `${chunk.delta}},"finish_reason":"${reason}"}]${chunk.close}`;
    const usage = includeUsage ? `${chunk.head}[],"usage":${JSON.stringify(encodeOpenAiUsage(event.usage))}}\n\n` : '';
    return `${annotations}${last}${usage}data: [DONE]\n\n`;
  };

  return {
    push(event) {
      if (ended) return '';
      switch (event.type) {
        case 'text-delta':
          content.push(event.text);
          return writeDelta(`"content":${JSON.stringify(event.text)}`);
        case 'reasoning-delta':
          hasReasoning = true;
          return writeDelta(`"reasoning_content":${JSON.stringify(event.text)}`);
        case 'tool-call-delta':
          hasArguments = true;
          return writeArguments(event.argumentsText);
        case 'turn-start':
          return start(event);
        case 'reasoning-start':
          // The same blank line that the fold puts between two rounds of thinking.
          return hasReasoning ? writeDelta('"reasoning_content":"\\n\\n"') : '';
        case 'tool-call-start':
          hasArguments = false;
          toolCalls++;
          return writeCall(
            `"id":${JSON.stringify(event.callId)},"type":"function",`,
            `"name":${JSON.stringify(event.name)},"arguments":""`,
          );
        case 'tool-call-end':
          // Clients parse the joined arguments, and no text at all is not JSON.
          return hasArguments ? '' : writeArguments('{}');
        case 'source':
          // Where the text cites it is known at the end only.
          sources.push({ url: event.url, title: event.title });
          return '';
        case 'refusal':
          return writeDelta(`"refusal":${JSON.stringify(event.text)}`);
        case 'text-start':
        case 'text-end':
        case 'reasoning-end':
          return '';
        case 'turn-end':
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
