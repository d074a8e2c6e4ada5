import { answerText } from '../scenarios/answer-text.ts';
import { bytesStep, endMarker, pieces } from '../scenarios/frames.ts';
import {
  numberParameter,
  type Scenario,
  type ScenarioContext,
  type ScenarioTable,
  type Step,
} from '../scenarios/scenario.ts';
import { lateErrors, platformError, type PlatformCode } from './platform-faults.ts';
import { createPlatformAnswer, type PlatformAnswer } from './platform-frames.ts';
import { platformTools } from './platform-tools.ts';

type Frames = (context: ScenarioContext, answer: PlatformAnswer) => Iterable<Step>;

const scenario = (description: string, frames: Frames): Scenario => ({
  description,
  *steps(context) {
    const answer = createPlatformAnswer(context);
    for (const step of frames(context, answer)) {
      yield step;
      if (!answer.exhausted) continue;
      yield answer.finish('length');
      yield endMarker;
      return;
    }
  },
});

function* thought(context: ScenarioContext, answer: PlatformAnswer): Generator<string> {
  for (const piece of pieces(context.settings.thinkingText, context.settings.answerFrames))
    yield answer.reasoning(piece);
}

function* said(context: ScenarioContext, answer: PlatformAnswer, text = answerText(context)): Generator<string> {
  for (const piece of pieces(text, context.settings.answerFrames)) yield answer.text(piece);
}

/** The normal sequence, with or without thinking as the request asked. */
function* plain(context: ScenarioContext, answer: PlatformAnswer, text = answerText(context)): Generator<string> {
  if (context.thinking) yield* thought(context, answer);
  yield* said(context, answer, text);
  yield answer.finish();
  yield endMarker;
}

const plainSteps = (context: ScenarioContext): Generator<string> => plain(context, createPlatformAnswer(context));

const reframed = (description: string, change: (frame: string) => string): Scenario =>
  scenario(description, function* (context, answer) {
    for (const frame of plain(context, answer)) yield change(frame);
  });

function* thinking(context: ScenarioContext, answer: PlatformAnswer): Generator<string> {
  yield* plain({ ...context, thinking: true }, answer);
}

/** What arrived at the model, as JSON. */
function echoText(context: ScenarioContext): string {
  const { stream: _stream, request_id: _id, ...body } = context.body;
  return JSON.stringify({ prompt: context.prompt, ...body });
}

const stall = (context: ScenarioContext): Step =>
  context.parameters.has('for') ? { type: 'wait', waitMs: numberParameter(context, 'for', 0) } : { type: 'stall' };

function* twoPieces(context: ScenarioContext, answer: PlatformAnswer): Generator<string> {
  for (const piece of pieces(answerText(context), context.settings.answerFrames).slice(0, 2)) yield answer.text(piece);
}

const lateError = (code: PlatformCode): Scenario =>
  scenario(`two answer frames, then the error ${code} in the stream`, function* (context, answer) {
    yield* twoPieces(context, answer);
    yield `data: ${JSON.stringify(platformError(code))}\n\n`;
  });

const results = [
  { title: 'Example', link: 'https://example.org/', content: '…', media: 'Example', icon: '', refer: 'ref_1' },
  { title: 'Second', link: 'https://example.net/two', content: '…', media: 'Second', icon: '', refer: 'ref_2' },
];

/** The scenarios of the web backend that mean something here, by the same names, and those that only the official API has. */
export const platformScenarios: ScenarioTable = {
  plain: scenario('the normal sequence, with thinking when it is on', plain),
  echo: scenario('plain, but the text is JSON of what arrived', (context, answer) =>
    plain(context, answer, echoText(context)),
  ),
  empty: scenario('the usual end without any text before it', function* (_context, answer) {
    yield answer.finish();
    yield endMarker;
  }),
  'usage-missing': scenario('no chunk has usage', function* (context, answer) {
    yield* said(context, answer);
    yield answer.finishUncounted();
    yield endMarker;
  }),
  'thinking-then-edit': scenario('thinking, then the answer', thinking),
  'thinking-without-edit': scenario('thinking, then the answer', thinking),
  'json-encoded-edit': scenario('thinking, then the answer', thinking),
  'thinking-only': scenario('thinking and no answer text', function* (context, answer) {
    yield* thought(context, answer);
    yield answer.finish();
    yield endMarker;
  }),
  'think-tag': scenario('the thought stands in the content', function* (context, answer) {
    yield* said(context, answer, `<think>${context.settings.thinkingText}</think>\n${answerText(context)}`);
    yield answer.finish();
    yield endMarker;
  }),
  'finish-length': scenario('the answer reached its limit', function* (context, answer) {
    yield* said(context, answer);
    yield answer.finish('length');
    yield endMarker;
  }),
  'finish-network-error': scenario('the reason to finish is network_error', function* (context, answer) {
    yield* twoPieces(context, answer);
    yield answer.finishUncounted('network_error');
    yield endMarker;
  }),
  'done-missing': reframed('no end marker', (frame) => (frame === endMarker ? ': bye\n\n' : frame)),
  crlf: reframed('lines end with CR LF', (frame) => frame.replaceAll('\n', '\r\n')),
  'no-space': reframed('no space after data:', (frame) => frame.replace('data: ', 'data:')),
  'byte-by-byte': {
    description: 'every byte is a network chunk of its own',
    *steps(context) {
      for (const byte of Buffer.from([...plainSteps(context)].join(''))) yield bytesStep(Uint8Array.of(byte));
    },
  },
  'utf8-split': scenario('network chunks end inside 你 and inside 🚀', function* (_context, answer) {
    const frame = Buffer.from(answer.text('你好, Z.ai 🚀 and back.'));
    const cuts = [frame.indexOf('你') + 1, frame.indexOf('🚀') + 2, frame.length];
    yield* cuts.map((cut, index) => bytesStep(frame.subarray(cuts[index - 1] ?? 0, cut)));
    yield answer.finish();
    yield endMarker;
  }),
  'bad-json-frame': scenario('two unreadable frames after the first chunk, then the rest', function* (context, answer) {
    const [first = '', ...rest] = plain(context, answer);
    yield first;
    yield 'data: {"id":"x","choices":[{"index":0,"delta":{"content":"lost\n\n';
    yield 'data: not json at all\n\n';
    yield* rest;
  }),
  'eof-mid-frame': scenario(
    'a clean end of the response in the middle of the second frame',
    function* (context, answer) {
      const [first = '', second = ''] = plain(context, answer);
      yield first;
      yield bytesStep(second.slice(0, Math.floor(second.length / 2)));
    },
  ),
  'connection-reset': scenario('the connection is cut after two answer chunks', function* (context, answer) {
    yield* twoPieces(context, answer);
    yield { type: 'cut' };
  }),
  'stall-before-content': scenario(
    'response headers, then silence (for=MS: then the plain answer)',
    function* (context, answer) {
      yield stall(context);
      yield* plain(context, answer);
    },
  ),
  'stall-after-content': scenario('one chunk, then silence (for=MS: then the rest)', function* (context, answer) {
    const [first = '', ...rest] = plain(context, answer);
    yield first;
    yield stall(context);
    yield* rest;
  }),
  'keep-alive-events': scenario('comments and empty chunks between the chunks (delay=MS)', function* (context, answer) {
    const waitMs = numberParameter(context, 'delay', 0);
    for (const frame of plain(context, answer)) {
      yield ': keep-alive\n\n';
      if (waitMs > 0) yield { type: 'wait', waitMs };
      if (frame !== endMarker) yield 'data: {"id":"x","choices":[]}\n\n';
      yield frame;
    }
  }),
  slow: scenario('frames=10 words with delay=100 ms after each', function* (context, answer) {
    const waitMs = numberParameter(context, 'delay', 100);
    for (let count = 1; count <= numberParameter(context, 'frames', 10); count += 1) {
      yield answer.text(`word${count} `);
      yield { type: 'wait', waitMs };
    }
    yield answer.finish();
    yield endMarker;
  }),
  bench: scenario(
    'tokens=10000 deltas of size=4 characters, batch=32 per write (delay=MS per write)',
    function* (context, answer) {
      const batch = Math.max(1, numberParameter(context, 'batch', 32));
      const text = 'token text '.repeat(100).slice(0, Math.max(1, numberParameter(context, 'size', 4)));
      const waitMs = numberParameter(context, 'delay', 0);
      const frame = Buffer.from(answer.text(text));
      const full = bytesStep(Buffer.concat(Array<Buffer>(batch).fill(frame)));
      for (let left = numberParameter(context, 'tokens', 10_000); left > 0; left -= batch) {
        yield left >= batch ? full : bytesStep(Buffer.concat(Array<Buffer>(left).fill(frame)));
        if (waitMs > 0) yield { type: 'wait', waitMs };
      }
      yield answer.finish();
      yield endMarker;
    },
  ),
  'search-results': scenario('the results of a search come before the answer', function* (context, answer) {
    yield answer.extra({ web_search: results });
    yield* said(context, answer, 'As reported.');
    yield answer.finish();
    yield endMarker;
  }),
  ...platformTools,
  ...Object.fromEntries(lateErrors.map(([name, code]) => [`${name}-after-content`, lateError(code)])),
  'error-in-stream': scenario('only an error frame (code=1234)', (context) => {
    const wanted = lateErrors.map(([, code]) => code).find((code) => code === context.parameters.get('code'));
    return [`data: ${JSON.stringify(platformError(wanted ?? '1234'))}\n\n`];
  }),
};
