import { TurnError, type FinishReason, type TurnEvent, type TurnWarning, type Usage } from '@zai2api/turn';
import type { CodecContext } from '../../codec-context.ts';
import { isRecord } from '../../is-record.ts';
import { createSseDecoder, type SseFrame } from '../../sse/decode-sse.ts';
import type { UpstreamDecoder } from '../upstream-decoder.ts';
import { createAnswerDocument, type Phase } from './answer-document.ts';
import { createAnswerEvents } from './answer-events.ts';
import { createCitedDocumentParser } from './citations-document.ts';
import { createCitations } from './citations.ts';
import { classifyFault, decodeHttpError, findFault, type UpstreamFault } from './decode-error.ts';
import { decodeUsage } from './decode-usage.ts';
import type { DocumentParser } from './document-parser.ts';
import { isResultJson } from './search-results-scan.ts';
import { readSearchFrame, readSourceEvent } from './search-results.ts';
import { createNativeCalls } from './tool-native.ts';

export interface ZaiWebDecoderOptions {
  /** The name that the answer carries: the one asked for. */
  readonly model: string;
  readonly warnings: readonly TurnWarning[];
  /** The text that went up, to estimate its tokens when the upstream does not count. */
  readonly prompt: string;
  /** False when the upstream knows no chat for this turn: it may then end a good answer with an error that means nothing (protocol 4.2). */
  readonly chatCreated: boolean;
  /** Names of the tools that the client runs. The upstream's own calls of these become events; all others are the site's business. */
  readonly tools?: readonly string[];
  readonly context: CodecContext;
}

/** Enough of a body that is no stream to recognise what it says. */
const MAX_BODY_CHARACTERS = 64 * 1024;

/** The decoder of one completion's body (protocol 5). */
export function createZaiWebDecoder(options: ZaiWebDecoderOptions): UpstreamDecoder {
  const { context } = options;
  const sse = createSseDecoder();
  const document = createAnswerDocument();
  const answer = createAnswerEvents();
  const citations = createCitations();
  const nativeCalls = options.tools?.length ? createNativeCalls(new Set(options.tools), answer) : undefined;
  const openDocument = (): DocumentParser =>
    createCitedDocumentParser(answer, citations, nativeCalls && ((content) => nativeCalls.takeBlock(content)));
  let parser = openDocument();
  let body: { readonly text: TextDecoder; content: string } | undefined;
  let undecided = true;
  let started = false;
  let ended = false;
  let complete = false;
  let skippedFrames = 0;
  let usage: Usage | undefined;
  let finishReason: FinishReason = 'stop';

  function startEvents(): TurnEvent[] {
    if (started) return [];
    started = true;
    return [
      {
        type: 'turn-start',
        id: context.newId(),
        model: options.model,
        createdAt: context.now(),
        warnings: options.warnings,
      },
    ];
  }

  function fail(error: TurnError): TurnEvent[] {
    if (ended) return [];
    ended = true;
    if (!answer.empty) parser.end();
    answer.end();
    return [
      ...(answer.empty ? [] : [...startEvents(), ...citations.take()]),
      ...answer.take(),
      { type: 'turn-error', error },
    ];
  }

  function finish(): TurnEvent[] {
    if (ended) return [];
    parser.end();
    answer.end();
    if (answer.empty) {
      return fail(
        new TurnError('upstream_failed', 'The upstream ended its answer without any content.', {
          layer: 'upstream',
          reason: 'empty_answer',
          recovery: 'repeat',
        }),
      );
    }
    ended = true;
    return [
      ...startEvents(),
      ...citations.take(),
      ...answer.take(),
      { type: 'turn-end', reason: finishReason, usage: usage ? completeUsage(usage) : estimateUsage() },
    ];
  }

  function estimateUsage(): Usage {
    const reasoningTokens = context.countTokens(answer.sent('reasoning'));
    return {
      inputTokens: context.countTokens(options.prompt),
      outputTokens: reasoningTokens + context.countTokens(answer.sent('text')),
      cachedInputTokens: 0,
      reasoningTokens,
      exactness: 'estimated',
    };
  }

  /**
   * The upstream counts thinking without saying how much of it there was: then it gets its share of the counted tokens by its length.
   * Counting it anew would cost milliseconds at the end of a long answer and be no truer.
   */
  function completeUsage(counted: Usage): Usage {
    const { outputTokens } = counted;
    const thought = answer.sent('reasoning').length;
    const share = thought / Math.max(1, thought + answer.sent('text').length);
    const reasoningTokens = counted.reasoningTokens || Math.round(outputTokens * share);
    return { ...counted, reasoningTokens: Math.min(reasoningTokens, outputTokens) };
  }

  function growth(): TurnEvent[] {
    const events = answer.take();
    // Sources alone begin no answer: until it begins, a failed turn may be tried again.
    if (events.length === 0 && !started) return [];
    return [...startEvents(), ...citations.take(), ...events];
  }

  function append(text: string, phase: Phase): void {
    document.append(text, phase);
    parser.push(text, phase);
  }

  function edit(index: number, text: string, phase: Phase): void {
    if (index >= document.length) {
      if (text !== '') append(text, phase);
      return;
    }
    if (!document.replaceTail(index, text, phase)) return;
    answer.restart();
    parser = openDocument();
    for (const span of document.spans()) parser.push(span.text, span.phase);
  }

  /** What an error means depends on when it comes: it may end a good answer, cut one short, or be all there is. */
  function takeFault(fault: UpstreamFault, onDone: boolean): TurnEvent[] {
    if (complete) return [];
    const counted = usage !== undefined;
    const error = classifyFault(fault);
    if (!answer.empty && error.code === 'content_refused') {
      finishReason = 'content-filter';
      return finish();
    }
    // On the last frame of an answer that was whole, counted or without a chat of its own, a passing fault means nothing (protocol 4.2, 8.1).
    if (!answer.empty && onDone && (counted || !options.chatCreated) && error.details.recovery === 'repeat') {
      complete = true;
      return [];
    }
    return fail(error);
  }

  function takeData(data: Record<string, unknown>): TurnEvent[] {
    // An echo of the input (protocol 5.2).
    if (data['role'] === 'user') return [];
    const phase = typeof data['phase'] === 'string' ? data['phase'] : undefined;
    const phaseOf = (text: string): Phase => (isResultJson(text, phase) ? 'tool_response' : phase);
    const done = data['done'] === true || phase === 'done';
    usage = decodeUsage(data['usage']) ?? usage;
    finishReason = readFinishReason(data['choices']) ?? finishReason;
    // Only counts and ids are read behind the end (protocol 5.8).
    if (complete) return [];

    citations.add(readSearchFrame(data));
    const delta = data['delta_content'];
    if (typeof delta === 'string' && delta !== '') append(delta, phaseOf(delta));
    const index = data['edit_index'];
    const content = data['edit_content'];
    if (typeof index === 'number' && typeof content === 'string') {
      // An empty edit on a done frame would wipe the answer if its index were taken at its word (protocol 5.3).
      const text = unwrapJsonString(content);
      if (content !== '' || !done) edit(index, text, phaseOf(text));
    } else if (done && document.length === 0 && typeof data['content'] === 'string') {
      append(data['content'], 'answer');
    }
    nativeCalls?.takeFrame(data);
    if (done) complete = true;
    return growth();
  }

  function takeFrame({ event, data }: SseFrame): TurnEvent[] {
    if (ended || data === '') return [];
    if (data === '[DONE]' || data === 'DONE') return finish();
    const frame = parseJson(data);
    if (!isRecord(frame)) {
      // Some builds leave out the blank line between frames (protocol 5.1 wants one).
      if (data.includes('\n')) return data.split('\n').flatMap((line) => takeFrame({ event, data: line }));
      skippedFrames += 1;
      return [];
    }
    const inner = isRecord(frame['data']) ? frame['data'] : undefined;
    const fault = findFault(event === 'error' ? { ...frame, type: 'error' } : frame);
    if (fault) {
      const nested = isRecord(inner?.['data']) ? inner['data'] : inner;
      return takeFault(fault, nested?.['done'] === true || nested?.['phase'] === 'done');
    }
    switch (frame['type']) {
      case undefined:
      case 'chat:completion':
        if (frame['data'] === '[DONE]') return finish();
        return inner ? takeData(inner) : [];
      case 'chat:message:delta':
      case 'message':
        if (!complete && typeof inner?.['content'] === 'string') append(inner['content'], 'answer');
        return growth();
      case 'chat:message':
      case 'replace':
        if (!complete && typeof inner?.['content'] === 'string') edit(0, inner['content'], 'answer');
        return growth();
      case 'source':
      case 'citation':
        if (!complete) citations.add(readSourceEvent(frame['data']));
        return growth();
      default:
        return [];
    }
  }

  return {
    push(bytes) {
      if (ended) return [];
      if (undecided) {
        // A stream begins with a field name or a comment; what begins otherwise is a page or an error body (protocol 8.1, 8.2).
        const first = bytes.find((byte) => byte > 32);
        if (first === 0x3c || first === 0x7b || first === 0x5b) body = { text: new TextDecoder(), content: '' };
        undecided = first === undefined;
      }
      if (body) {
        if (body.content.length < MAX_BODY_CHARACTERS) body.content += body.text.decode(bytes, { stream: true });
        return [];
      }
      return sse.push(bytes).flatMap(takeFrame);
    },
    end() {
      if (ended) return [];
      if (body) return fail(decodeHttpError(200, '', body.content));
      const { frames, cut } = sse.end();
      const last = frames.at(-1);
      const torn = cut === 'data' && (last === undefined || !isWholeFrame(last.data));
      const events = (torn ? frames.slice(0, -1) : frames).flatMap(takeFrame);
      if ((torn || cut === 'other') && !complete) {
        return [
          ...events,
          ...fail(
            new TurnError('upstream_failed', 'The upstream’s answer was cut off.', {
              layer: 'upstream',
              recovery: 'repeat',
            }),
          ),
        ];
      }
      return [...events, ...finish()];
    },
    get complete() {
      return complete || ended;
    },
    get skippedFrames() {
      return skippedFrames;
    },
  };
}

const isWholeFrame = (data: string): boolean => data === '[DONE]' || data === 'DONE' || parseJson(data) !== undefined;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Some builds encode the content of an edit once more (protocol 5.4). Without an escape it is an answer between quotation marks. */
function unwrapJsonString(content: string): string {
  if (!content.startsWith('"') || !content.includes('\\')) return content;
  const decoded = parseJson(content);
  return typeof decoded === 'string' ? decoded : content;
}

/** The reason in an OpenAI-shaped chunk inside a frame; only what differs from a plain stop matters (protocol 5.3). */
function readFinishReason(choices: unknown): FinishReason | undefined {
  const [choice] = Array.isArray(choices) ? (choices as unknown[]) : [];
  const reason = isRecord(choice) ? choice['finish_reason'] : undefined;
  if (reason === 'length') return 'length';
  if (reason === 'sensitive' || reason === 'content_filter') return 'content-filter';
  return undefined;
}
