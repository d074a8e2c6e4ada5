import { countTokens, createAnswerDocument } from './answer-document.ts';
import { bytesStep, completionFrame, endMarker, eventFrame, pieces } from './frames.ts';
import { answerText } from './answer-text.ts';
import { plainAnswer } from './plain-answers.ts';
import { numberParameter } from './scenario.ts';
import type { ScenarioContext, ScenarioTable, Step } from './scenario.ts';

/** `for=MS` makes a stall end; without it the client has to leave. */
function stall(context: ScenarioContext): Step {
  return context.parameters.has('for')
    ? { type: 'wait', waitMs: numberParameter(context, 'for', 0) }
    : { type: 'stall' };
}

function* stallAfterContent(context: ScenarioContext): Generator<Step> {
  const [first = '', ...rest] = plainAnswer(context);
  yield first;
  yield stall(context);
  yield* rest;
}

function* connectionReset(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  for (const piece of pieces(answerText(context), context.settings.answerFrames).slice(0, 2))
    yield document.append('answer', piece);
  yield { type: 'cut' };
}

function* keepAliveEvents(context: ScenarioContext): Generator<Step> {
  const delayMs = numberParameter(context, 'delay', 0);
  yield ': keep-alive\n\n';
  yield 'retry: 3000\n\n';
  for (const frame of plainAnswer(context)) {
    yield frame;
    if (delayMs > 0) yield { type: 'wait', waitMs: delayMs };
    yield eventFrame('conn:heartbeat', {});
    yield ': keep-alive\n\n';
    yield eventFrame('status', { action: 'web_search', query: 'x', done: false });
    yield 'event: ping\nid: 7\ndata: {}\n\n';
  }
}

function* slow(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const frames = numberParameter(context, 'frames', 10);
  const waitMs = numberParameter(context, 'delay', 100);
  for (let count = 1; count <= frames; count += 1) {
    yield document.append('answer', `word${count} `);
    yield { type: 'wait', waitMs };
  }
  yield* document.ending();
  yield endMarker;
}

/** Frames per write: about what one model step of a busy server hands to its socket. */
const benchBatch = 32;

/** Cheap on purpose: the same bytes again and again, so that the simulator is never what a measurement measures. */
function* bench(context: ScenarioContext): Generator<Step> {
  const tokens = numberParameter(context, 'tokens', 10_000);
  const text = 'token text '.repeat(100).slice(0, Math.max(1, numberParameter(context, 'size', 4)));
  const batch = Math.max(1, numberParameter(context, 'batch', benchBatch));
  const waitMs = numberParameter(context, 'delay', 0);
  const frame = Buffer.from(completionFrame({ delta_content: text, phase: 'answer' }));
  const full = bytesStep(Buffer.concat(Array<Buffer>(batch).fill(frame)));
  for (let left = tokens; left > 0; left -= batch) {
    yield left >= batch ? full : bytesStep(Buffer.concat(Array<Buffer>(left).fill(frame)));
    if (waitMs > 0) yield { type: 'wait', waitMs };
  }
  const promptTokens = countTokens(context.prompt);
  const usage = { prompt_tokens: promptTokens, completion_tokens: tokens, total_tokens: promptTokens + tokens };
  yield completionFrame({ usage, phase: 'other' });
  yield completionFrame({ done: true, delta_content: '', phase: 'done' });
  yield endMarker;
}

/** Answers in which time or the connection plays a part. */
export const pacing: ScenarioTable = {
  'connection-reset': { description: 'the connection is cut after two answer frames', steps: connectionReset },
  'stall-before-content': {
    description: 'response headers, then silence until the client leaves (for=MS: then the plain answer)',
    *steps(context) {
      yield stall(context);
      yield* plainAnswer(context);
    },
  },
  'stall-after-content': {
    description: 'one frame, then silence until the client leaves (for=MS: then the rest)',
    steps: stallAfterContent,
  },
  'keep-alive-events': {
    description: 'heartbeats, comments, status and ping events between the frames (delay=MS)',
    steps: keepAliveEvents,
  },
  slow: { description: 'frames=10 words with delay=100 ms after each', steps: slow },
  bench: {
    description:
      'tokens=10000 deltas of size=4 characters, batch=32 per write, as fast as the client reads (delay=MS per write)',
    steps: bench,
  },
};
