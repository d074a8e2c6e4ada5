import { TurnError, type FinishReason, type TurnEvent, type TurnWarning, type Usage } from '@zai2api/turn';
import type { CodecContext } from '../../codec-context.ts';
import { isRecord } from '../../is-record.ts';
import type { SseFrame } from '../../sse/decode-sse.ts';
import { createAnswerDocument, type Phase } from './answer-document.ts';
import { createAnswerEvents } from './answer-events.ts';
import { createCitedDocumentParser } from './citations-document.ts';
import { createCitations } from './citations.ts';
import { classifyFault, findFault, type UpstreamFault } from './decode-error.ts';
import type { AnswerFrameReader } from '../decode-answer-body.ts';
import { completeUsage, decodeUsage } from '../decode-usage.ts';
import { createPlainDeltaReader } from '../plain-delta.ts';
import type { DocumentParser } from './document-parser.ts';
import { isResultJson } from './search-results-scan.ts';
import { readSearchFrame, readSourceEvent } from './search-results.ts';
import { createNativeCalls } from './tool-native.ts';
import { tryParseJson } from '../../try-parse-json.ts';

/** What the frames of one answer are read with. */
export interface FrameReaderOptions {
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

/** Turns the frames of one answer into events (protocol 5). */
export interface FrameReader extends AnswerFrameReader {
  /** Takes a text of whole frames if all of them are plain deltas; false: nothing was taken. Plain text becomes one event. */
  takeRun(frames: string): boolean;
}

/** A reader for one answer. */
export function createFrameReader(options: FrameReaderOptions): FrameReader {
  const { context } = options;
  const document = createAnswerDocument();
  const answer = createAnswerEvents();
  const citations = createCitations();
  const plainDeltas = createPlainDeltaReader(findPlainDelta);
  const nativeCalls = options.tools?.length ? createNativeCalls(new Set(options.tools), answer) : undefined;
  const openDocument = (): DocumentParser =>
    createCitedDocumentParser(answer, citations, nativeCalls && ((content) => nativeCalls.takeBlock(content)));
  let parser = openDocument();
  let events: TurnEvent[] = [];
  let started = false;
  let ended = false;
  let complete = false;
  let skipped = 0;
  let usage: Usage | undefined;
  let finishReason: FinishReason = 'stop';

  /** Writes what has grown. Sources alone begin no answer: until it begins, a failed turn may be tried again. */
  function writeGrowth(): void {
    const growth = answer.take();
    if (growth.length === 0 && !started) return;
    if (!started) {
      const { model, warnings } = options;
      events.push({ type: 'turn-start', id: context.newId(), model, createdAt: context.now(), warnings });
      started = true;
    }
    for (const source of citations.take()) events.push(source);
    for (const event of growth) events.push(event);
  }

  function fail(error: TurnError): void {
    if (ended) return;
    ended = true;
    if (!answer.empty) parser.end();
    answer.end();
    writeGrowth();
    events.push({ type: 'turn-error', error });
  }

  function finish(): void {
    if (ended) return;
    parser.end();
    answer.end();
    if (answer.empty) {
      const details = { layer: 'upstream', reason: 'empty_answer', recovery: 'repeat' } as const;
      fail(new TurnError('upstream_failed', 'The upstream ended its answer without any content.', details));
      return;
    }
    ended = true;
    writeGrowth();
    const sent = { reasoning: answer.sent('reasoning'), text: answer.sent('text') };
    events.push({
      type: 'turn-end',
      reason: finishReason,
      usage: completeUsage(usage, { ...sent, prompt: options.prompt }, context.countTokens),
    });
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

  /** The lists of a search are the upstream's own business, whatever phase they come under. */
  const phaseOf = (text: string, phase: Phase): Phase => (isResultJson(text, phase) ? 'tool_response' : phase);

  /** What an error means depends on when it comes: it may end a good answer, cut one short, or be all there is. */
  function takeFault(fault: UpstreamFault, onDone: boolean): void {
    if (complete) return;
    const error = classifyFault(fault);
    if (!answer.empty && error.code === 'content_refused') {
      finishReason = 'content-filter';
      finish();
    } else if (
      !answer.empty &&
      onDone &&
      (usage !== undefined || !options.chatCreated) &&
      error.details.recovery === 'repeat'
    ) {
      // The last frame of an answer that was whole, counted or without a chat of its own (protocol 4.2, 8.1).
      complete = true;
    } else {
      fail(error);
    }
  }

  function takeData(data: Record<string, unknown>): void {
    // An echo of the input (protocol 5.2).
    if (data['role'] === 'user') return;
    const phase = typeof data['phase'] === 'string' ? data['phase'] : undefined;
    const done = data['done'] === true || phase === 'done';
    usage = decodeUsage(data['usage']) ?? usage;
    finishReason = readFinishReason(data['choices']) ?? finishReason;
    // Only counts and ids are read behind the end (protocol 5.8).
    if (complete) return;

    citations.add(readSearchFrame(data));
    const delta = data['delta_content'];
    if (typeof delta === 'string' && delta !== '') append(delta, phaseOf(delta, phase));
    const index = data['edit_index'];
    const content = data['edit_content'];
    if (typeof index === 'number' && typeof content === 'string') {
      // An empty edit on a done frame would wipe the answer if its index were taken at its word (protocol 5.3).
      const text = unwrapJsonString(content);
      if (content !== '' || !done) edit(index, text, phaseOf(text, phase));
    } else if (done && document.length === 0 && typeof data['content'] === 'string') {
      append(data['content'], 'answer');
    }
    nativeCalls?.takeFrame(data);
    if (done) complete = true;
  }

  function takeFrame(frame: Record<string, unknown>, event: string | undefined): void {
    const inner = isRecord(frame['data']) ? frame['data'] : undefined;
    const fault = findFault(event === 'error' ? { ...frame, type: 'error' } : frame);
    if (fault) {
      const nested = isRecord(inner?.['data']) ? inner['data'] : inner;
      takeFault(fault, nested?.['done'] === true || nested?.['phase'] === 'done');
      return;
    }
    const content = inner?.['content'];
    switch (frame['type']) {
      case undefined:
      case 'chat:completion':
        if (frame['data'] === '[DONE]') finish();
        else if (inner) takeData(inner);
        break;
      case 'chat:message:delta':
      case 'message':
        if (!complete && typeof content === 'string') append(content, 'answer');
        break;
      case 'chat:message':
      case 'replace':
        if (!complete && typeof content === 'string') edit(0, content, 'answer');
        break;
      case 'source':
      case 'citation':
        if (!complete) citations.add(readSourceEvent(frame['data']));
        break;
    }
    if (!ended) writeGrowth();
  }

  function take({ event, data }: SseFrame): void {
    if (ended || data === '') return;
    const plain = complete || event !== undefined ? undefined : plainDeltas.read(data);
    if (plain) {
      append(plain.text, phaseOf(plain.text, plain.kind));
      writeGrowth();
      return;
    }
    if (data === '[DONE]' || data === 'DONE') {
      finish();
      return;
    }
    const frame = tryParseJson(data);
    if (isRecord(frame)) {
      takeFrame(frame, event);
      plainDeltas.learn(data, frame);
    } else if (data.includes('\n')) {
      // Some builds leave out the blank line between frames (protocol 5.1 wants one).
      for (const line of data.split('\n')) take({ event, data: line });
    } else {
      skipped += 1;
    }
  }

  function takeRun(frames: string): boolean {
    const run = ended || complete ? undefined : plainDeltas.readRun(frames);
    if (!run) return false;
    for (const text of run.texts) {
      append(text, phaseOf(text, run.kind));
      writeGrowth();
    }
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

/** The delta of a frame that has nothing else. */
function findPlainDelta(frame: Record<string, unknown>): { text: string; kind: Phase; field: string } | undefined {
  const { type, data } = frame;
  if (type !== 'chat:completion' || Object.keys(frame).length !== 2 || !isRecord(data)) return undefined;
  const { delta_content: text, phase } = data;
  if (typeof text !== 'string' || typeof phase !== 'string' || phase === 'done') return undefined;
  return Object.keys(data).length === 2 ? { text, kind: phase, field: 'delta_content' } : undefined;
}

/** Whether the data of a frame is all there. */
export const isWholeFrame = (data: string): boolean =>
  data === '[DONE]' || data === 'DONE' || tryParseJson(data) !== undefined;

/** Some builds encode the content of an edit once more (protocol 5.4). Without an escape it is an answer between quotation marks. */
function unwrapJsonString(content: string): string {
  if (!content.startsWith('"') || !content.includes('\\')) return content;
  const decoded = tryParseJson(content);
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
