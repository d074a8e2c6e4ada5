import { createAnswerDocument } from './answer-document.ts';
import { bytesStep, completionFrame, endMarker, eventFrame, pieces } from './frames.ts';
import { answerText } from './answer-text.ts';
import { plainAnswer } from './plain-answers.ts';
import { numberParameter } from './scenario.ts';
import type { ScenarioContext, ScenarioTable, Step } from './scenario.ts';

/** The plain answer as one text, its frames changed by `change`. */
function* reframed(context: ScenarioContext, change: (frame: string) => string): Generator<Step> {
  for (const frame of plainAnswer(context)) {
    const changed = change(frame);
    if (changed !== '') yield changed;
  }
}

const withEnding =
  (ending: readonly string[]) =>
  (context: ScenarioContext): Iterable<Step> =>
    reframed(context, (frame) => (frame === endMarker ? ending.join('') : frame));

function* utf8Split(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const frame = Buffer.from(document.append('answer', '你好, Z.ai 🚀 and back.'));
  // One byte into a three-byte character, two bytes into a four-byte one.
  const cuts = [frame.indexOf('你') + 1, frame.indexOf('🚀') + 2, frame.length];
  let start = 0;
  for (const cut of cuts) {
    yield bytesStep(frame.subarray(start, cut));
    start = cut;
  }
  yield* document.ending();
  yield endMarker;
}

function* twoDoneFrames(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  for (const piece of pieces(answerText(context), context.settings.answerFrames))
    yield document.append('answer', piece);
  yield completionFrame({ done: true, delta_content: '', phase: 'done' });
  yield completionFrame({
    role: 'assistant',
    usage: document.usage(),
    message_id: 'm-1',
    done: true,
    edit_index: 0,
    edit_content: '',
    phase: 'other',
  });
}

function* largeFrame(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const size = numberParameter(context, 'size', 2 * 1024 * 1024);
  const line = 'The quick brown fox jumps over the lazy dog.\n';
  yield document.edit('answer', 0, line.repeat(Math.ceil(size / line.length)).slice(0, size));
  yield* document.ending();
  yield endMarker;
}

function* badJsonFrame(context: ScenarioContext): Generator<Step> {
  const [first = '', ...rest] = plainAnswer(context);
  yield first;
  yield 'data: {"type":"chat:completion","data":{"delta_content":"lost\n\n';
  yield 'data: not json at all\n\n';
  yield* rest;
}

function* eofMidFrame(context: ScenarioContext): Generator<Step> {
  const [first = '', second = ''] = plainAnswer(context);
  yield first;
  yield bytesStep(second.slice(0, Math.floor(second.length / 2)));
}

const lateFrames = [
  eventFrame('chat:title', 'A title'),
  eventFrame('chat:tags', ['one', 'two']),
  eventFrame('status', { action: 'web_search', query: 'x', done: true }),
  completionFrame({ usage: { prompt_tokens: 11, completion_tokens: 22, total_tokens: 33 }, phase: 'other' }),
  ': bye\n\n',
];

/** The same plain answer in every framing that was seen on the wire (protocol 5.1). */
export const framing: ScenarioTable = {
  'done-wrapped': {
    description: 'the end marker is the data of an envelope',
    steps: withEnding([eventFrame('chat:completion', '[DONE]')]),
  },
  'done-missing': { description: 'no end marker, the stream just ends after the done frames', steps: withEnding([]) },
  'done-bare': { description: 'the end marker is DONE without brackets', steps: withEnding(['data: DONE\n\n']) },
  'two-done-frames': {
    description: 'two done frames, the last with usage and an empty edit at index 0; no end marker',
    steps: twoDoneFrames,
  },
  'frames-after-done': {
    description: 'title, tags, status, other usage (33 tokens) and a comment after done and before the end marker',
    steps: withEnding([...lateFrames, endMarker]),
  },
  'frames-after-end': {
    description: 'the same late frames, but after the end marker',
    steps: withEnding([endMarker, ...lateFrames]),
  },
  crlf: {
    description: 'lines end with CR LF',
    steps: (context) => reframed(context, (frame) => frame.replaceAll('\n', '\r\n')),
  },
  'no-space': {
    description: 'no space after data:',
    steps: (context) => reframed(context, (frame) => frame.replace('data: ', 'data:')),
  },
  'byte-by-byte': {
    description: 'every byte is a network chunk of its own',
    *steps(context) {
      for (const byte of Buffer.from([...plainAnswer(context)].join(''))) yield bytesStep(Uint8Array.of(byte));
    },
  },
  'utf8-split': { description: 'network chunks end inside 你 and inside 🚀', steps: utf8Split },
  'large-frame': { description: 'one edit of 2 MB (size=CHARACTERS)', steps: largeFrame },
  'bad-json-frame': { description: 'two unreadable frames after the first delta, then the rest', steps: badJsonFrame },
  'eof-mid-frame': { description: 'a clean end of the response in the middle of the second frame', steps: eofMidFrame },
};
