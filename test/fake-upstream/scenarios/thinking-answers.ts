import { createAnswerDocument } from './answer-document.ts';
import { completionFrame, endMarker, pieces } from './frames.ts';
import { answerText } from './answer-text.ts';
import type { AnswerDocument } from './answer-document.ts';
import type { ScenarioContext, ScenarioTable, Step } from './scenario.ts';

/** Up to here the opening tag stays when the edit closes a thinking round; 32 characters, the index of the capture. */
const keptOpening = '<details type="reasoning" done="';
const opening = `${keptOpening}false" view="" last_tool_call_name="">\n<summary>Thinking…</summary>\n> `;
const closedHead = 'true" duration="2" view="" last_tool_call_name="">\n<summary>Thought for 2 seconds</summary>\n> ';
const closing = '\n</details>\n';

const quoted = (text: string): string => text.replaceAll('\n', '\n> ');

/** One thinking round and the first piece of the answer, both in the closing edit (protocol 5.3). */
function* thinkingRound(
  document: AnswerDocument,
  thinking: string,
  firstPiece: string,
  count: number,
): Generator<string> {
  const start = document.length();
  const [first = '', ...rest] = pieces(quoted(thinking), count);
  yield document.append('thinking', opening + first);
  for (const piece of rest) yield document.append('thinking', piece);
  yield document.edit('answer', start + keptOpening.length, closedHead + quoted(thinking) + closing + firstPiece);
}

/** Thinking deltas, the edit that closes them, the rest of the answer as deltas; no ending. */
export function* thinkingThenEdit(context: ScenarioContext, document: AnswerDocument, text: string): Generator<string> {
  const { answerFrames, thinkingText } = context.settings;
  const [first = '', ...rest] = pieces(text, answerFrames);
  yield* thinkingRound(document, thinkingText, first, answerFrames);
  for (const piece of rest) yield document.append('answer', piece);
}

function* thinkingWithoutEdit(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const { answerFrames, thinkingText } = context.settings;
  yield document.append('thinking', opening);
  for (const piece of pieces(quoted(thinkingText), answerFrames)) yield document.append('thinking', piece);
  const [first = '', ...rest] = pieces(answerText(context), answerFrames);
  yield document.append('answer', closing + first);
  for (const piece of rest) yield document.append('answer', piece);
  yield* document.ending();
  yield endMarker;
}

function* jsonEncodedEdit(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const { thinkingText } = context.settings;
  const index = keptOpening.length;
  const content = closedHead + quoted(thinkingText) + closing + answerText(context);
  yield document.append('thinking', opening + quoted(thinkingText));
  document.edit('answer', index, content);
  yield completionFrame({ edit_index: index, edit_content: JSON.stringify(content), phase: 'answer' });
  yield* document.ending();
  yield endMarker;
}

function* markerSplit(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const parts = [
    '<details type="reas',
    opening.slice(19, -2),
    '>',
    ' First idea.',
    '\n',
    '> Second idea.',
    '\n>',
    ' Third idea.',
  ];
  for (const part of parts) yield document.append('thinking', part);
  const thinking = 'First idea.\n> Second idea.\n> Third idea.';
  yield document.edit('answer', keptOpening.length, closedHead + thinking + '\n</det');
  yield document.append('answer', 'ails>');
  yield document.append('answer', `\n${answerText(context)}`);
  yield* document.ending();
  yield endMarker;
}

function* twoThinkingRounds(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const { answerFrames, thinkingText } = context.settings;
  yield* thinkingRound(document, thinkingText, 'Let me check. ', answerFrames);
  yield* thinkingRound(document, 'Third idea.', '', answerFrames);
  for (const piece of pieces(answerText(context), answerFrames)) yield document.append('answer', piece);
  yield* document.ending();
  yield endMarker;
}

function* thinkingOnly(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  yield* thinkingRound(document, context.settings.thinkingText, '', context.settings.answerFrames);
  yield* document.ending();
  yield endMarker;
}

/** Every form in which reasoning comes (protocol 5.3 to 5.5); they think whether asked to or not. */
export const thinkingAnswers: ScenarioTable = {
  'thinking-then-edit': {
    description: 'thinking deltas, one edit that closes them and begins the answer, answer deltas',
    *steps(context) {
      const document = createAnswerDocument(context);
      yield* thinkingThenEdit(context, document, answerText(context));
      yield* document.ending();
      yield endMarker;
    },
  },
  'thinking-without-edit': {
    description: 'the closing `</details>` comes in an answer delta',
    steps: thinkingWithoutEdit,
  },
  'json-encoded-edit': { description: 'edit_content is a JSON string inside the JSON string', steps: jsonEncodedEdit },
  'marker-split': {
    description: 'opening tag, quote markers and `</details>` are split over frames',
    steps: markerSplit,
  },
  'two-thinking-rounds': { description: 'thinking, a sentence, thinking again, the answer', steps: twoThinkingRounds },
  'thinking-only': { description: 'a closed thinking round and no answer text', steps: thinkingOnly },
};
