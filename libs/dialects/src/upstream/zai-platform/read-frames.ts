import { TurnError, type FinishReason, type TurnEvent, type TurnWarning, type Usage } from '@zai2api/turn';
import type { CodecContext } from '../../codec-context.ts';
import { isRecord } from '../../is-record.ts';
import type { SseFrame } from '../../sse/decode-sse.ts';
import { createBlockWriter } from '../../stages/write-blocks.ts';
import type { AnswerFrameReader } from '../decode-answer-body.ts';
import { completeUsage, decodeUsage } from '../decode-usage.ts';
import { createPlainDeltaReader } from '../plain-delta.ts';
import { createContentTags } from './content-tags.ts';
import { classifyFault, findFault, type PlatformFault } from './decode-error.ts';
import { createNativeCalls } from './native-calls.ts';
import { tryParseJson } from '../../try-parse-json.ts';

/** What the frames of one answer are read with. */
export interface PlatformFrameReaderOptions {
  /** The name that the answer carries: the one asked for. */
  readonly model: string;
  readonly warnings: readonly TurnWarning[];
  /** The text that went up, to estimate its tokens when the upstream does not count. */
  readonly prompt: () => string;
  /** True: the client has tools of its own. Without any, calls are nobody's. */
  readonly takesCalls: boolean;
  readonly context: CodecContext;
}

/** Turns the frames of one answer into events (protocol 10.3). */
export interface PlatformFrameReader extends AnswerFrameReader {
  /** Takes a text of whole frames if all of them are plain deltas; false: nothing was taken. */
  takeRun(frames: string): boolean;
}

/** A reader for the frames of one answer (protocol 10.3). */
export function createPlatformFrameReader(options: PlatformFrameReaderOptions): PlatformFrameReader {
  const { context } = options;
  const writer = createBlockWriter();
  const calls = createNativeCalls(writer);
  const plainDeltas = createPlainDeltaReader(findPlainDelta);
  let events: TurnEvent[] = [];
  let sources: TurnEvent[] = [];
  let started = false;
  let ended = false;
  let complete = false;
  let skipped = 0;
  let reasoning = '';
  let text = '';
  let usage: Usage | undefined;
  let finishReason: FinishReason = 'stop';

  /** What came in the middle of a call: told behind it. */
  let meanwhile: { readonly kind: 'reasoning' | 'text'; pieces: string }[] = [];

  function tell(kind: 'reasoning' | 'text', piece: string): void {
    if (piece === '') return;
    if (!calls.unfinished) {
      calls.end();
      writer[kind](piece);
      return;
    }
    const last = meanwhile.at(-1);
    if (last?.kind === kind) last.pieces += piece;
    else meanwhile.push({ kind, pieces: piece });
  }

  function tellMeanwhile(): void {
    // Blanks between the pieces of a call mean nothing.
    const told = meanwhile.filter(({ pieces }) => pieces.trim() !== '');
    meanwhile = [];
    if (told.length > 0) calls.end();
    for (const { kind, pieces } of told) writer[kind](pieces);
  }

  const sink = {
    reasoning(piece: string): void {
      reasoning += piece;
      tell('reasoning', piece);
    },
    text(piece: string): void {
      text += piece;
      tell('text', piece);
    },
  };
  const content = createContentTags(sink);

  /** Writes what has grown. Sources alone begin no answer: until it begins, a failed turn may be tried again. */
  function writeGrowth(): void {
    const growth = writer.take();
    if (growth.length === 0 && !started) return;
    if (!started) {
      const { model, warnings } = options;
      events.push({ type: 'turn-start', id: context.newId(), model, createdAt: context.now(), warnings });
      started = true;
    }
    events.push(...sources, ...growth);
    sources = [];
  }

  const isEmpty = (): boolean => reasoning === '' && text === '' && !calls.any;

  function flush(): void {
    content.end();
    calls.end();
    tellMeanwhile();
  }

  function fail(error: TurnError): void {
    if (ended) return;
    flush();
    ended = true;
    writeGrowth();
    events.push({ type: 'turn-error', error });
  }

  function finish(): void {
    if (ended) return;
    flush();
    if (isEmpty()) {
      const details = { layer: 'upstream', reason: 'empty_answer', recovery: 'repeat' } as const;
      fail(new TurnError('upstream_failed', 'The upstream ended its answer without any content.', details));
      return;
    }
    ended = true;
    const texts = { reasoning, text, prompt: usage ? '' : options.prompt() };
    writer.pass({
      type: 'turn-end',
      reason: finishReason,
      usage: completeUsage(usage, texts, context.countTokens),
    });
    writeGrowth();
  }

  /** What an error means depends on when it comes: it may cut an answer short, or be all there is. */
  function takeFault(fault: PlatformFault): void {
    if (complete) return;
    const error = classifyFault(fault, context.now());
    if (error.code === 'content_refused') refuseContent(error);
    else fail(error);
  }

  function refuseContent(error: TurnError): void {
    flush();
    if (isEmpty()) {
      fail(error);
      return;
    }
    finishReason = 'content-filter';
    complete = true;
  }

  /** (protocol 10.3) */
  function takeFinishReason(reason: unknown): void {
    if (typeof reason !== 'string' || reason === '' || complete) return;
    if (reason === 'sensitive' || reason === 'content_filter') {
      refuseContent(classifyFault({ code: '1301', text: '' }, 0));
      return;
    }
    if (reason === 'network_error') {
      fail(classifyFault({ code: '1234', text: '' }, 0));
      return;
    }
    if (reason === 'model_context_window_exceeded') {
      flush();
      if (isEmpty()) {
        fail(classifyFault({ code: '1261', text: '' }, 0));
        return;
      }
    }
    finishReason = reason === 'length' || reason === 'model_context_window_exceeded' ? 'length' : 'stop';
    complete = true;
  }

  function append(kind: 'reasoning' | 'text', piece: string): void {
    if (kind === 'text') {
      content.push(piece);
      return;
    }
    if (piece !== '') content.end();
    sink.reasoning(piece);
  }

  function takeChoice(choice: unknown): void {
    if (!isRecord(choice) || complete) return;
    // A whole answer has a `message` where a stream has a `delta`.
    const delta = isRecord(choice['delta']) ? choice['delta'] : isRecord(choice['message']) ? choice['message'] : {};
    if (typeof delta['reasoning_content'] === 'string') append('reasoning', delta['reasoning_content']);
    if (typeof delta['content'] === 'string') append('text', delta['content']);
    if (options.takesCalls && Array.isArray(delta['tool_calls']) && delta['tool_calls'].length > 0) {
      content.end();
      calls.take(delta['tool_calls']);
      if (!calls.unfinished) tellMeanwhile();
    }
    takeFinishReason(choice['finish_reason']);
  }

  function takeSources(list: unknown): void {
    if (!Array.isArray(list)) return;
    for (const entry of list) {
      if (!isRecord(entry) || typeof entry['link'] !== 'string' || !/^https?:\/\//i.test(entry['link'])) continue;
      const title = typeof entry['title'] === 'string' && entry['title'] !== '' ? entry['title'] : entry['link'];
      sources.push({ type: 'source', url: entry['link'], title });
    }
  }

  function takeFrame(frame: Record<string, unknown>): void {
    const fault = findFault(frame);
    if (fault) {
      takeFault(fault);
      return;
    }
    usage = decodeUsage(frame['usage']) ?? usage;
    takeSources(frame['web_search']);
    const [choice] = Array.isArray(frame['choices']) ? (frame['choices'] as unknown[]) : [];
    takeChoice(choice);
    if (!ended) writeGrowth();
  }

  /** A broken frame (protocol 10.3). A lost word is told in the log; a lost piece of arguments would make another call of this one. */
  function passOver(data: string): void {
    skipped += 1;
    if (!calls.running && !(options.takesCalls && data.includes('"tool_calls"'))) return;
    const details = { layer: 'upstream', recovery: 'repeat' } as const;
    fail(new TurnError('upstream_failed', 'The upstream’s answer has a broken tool call.', details));
  }

  function take({ event, data }: SseFrame): void {
    if (ended || data === '') return;
    if (data === '[DONE]') {
      finish();
      return;
    }
    const plain = complete ? undefined : plainDeltas.read(data);
    if (plain) {
      append(plain.kind, plain.text);
      writeGrowth();
      return;
    }
    const frame = tryParseJson(data);
    if (isRecord(frame)) {
      takeFrame(frame);
      plainDeltas.learn(data, frame);
    } else if (data.includes('\n')) for (const line of data.split('\n')) take({ event, data: line });
    else passOver(data);
  }

  function takeRun(frames: string): boolean {
    const run = ended || complete ? undefined : plainDeltas.readRun(frames);
    if (!run) return false;
    for (const text of run.texts) append(run.kind, text);
    writeGrowth();
    return true;
  }

  return {
    take,
    takeRun,
    finish,
    fail,
    takeEvents() {
      const taken = events;
      events = [];
      return taken;
    },
    get complete() {
      return complete;
    },
    get ended() {
      return ended;
    },
    get skipped() {
      return skipped;
    },
  };
}

/** The one text of a frame that says nothing else, neither an end nor counts nor sources nor calls. */
function findPlainDelta(
  frame: Record<string, unknown>,
): { text: string; kind: 'reasoning' | 'text'; field: string } | undefined {
  const { choices, usage, web_search: sources } = frame;
  const [choice, ...others] = Array.isArray(choices) ? (choices as unknown[]) : [];
  if (isRecord(usage) || Array.isArray(sources) || findFault(frame) || others.length > 0) return undefined;
  if (!isRecord(choice) || typeof choice['finish_reason'] === 'string' || !isRecord(choice['delta'])) return undefined;
  const { content, reasoning_content: reasoning, tool_calls: toolCalls } = choice['delta'];
  if (Array.isArray(toolCalls)) return undefined;
  if (typeof content === 'string' && content !== '') {
    const isAlone = typeof reasoning !== 'string' || reasoning === '';
    return isAlone ? { text: content, kind: 'text', field: 'content' } : undefined;
  }
  return typeof reasoning === 'string' ? { text: reasoning, kind: 'reasoning', field: 'reasoning_content' } : undefined;
}

/** Whether the data of a frame is all there. */
export const isWholeFrame = (data: string): boolean => data === '[DONE]' || tryParseJson(data) !== undefined;
