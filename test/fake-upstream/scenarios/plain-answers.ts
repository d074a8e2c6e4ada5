import { createAnswerDocument } from './answer-document.ts';
import { answerText } from './answer-text.ts';
import { completionFrame, endMarker, eventFrame, pieces } from './frames.ts';
import { thinkingThenEdit } from './thinking-answers.ts';
import type { ScenarioContext, ScenarioTable, Step } from './scenario.ts';

/** The normal sequence of protocol 5.3, with or without thinking as the request asked; `text` replaces the usual answer. */
export function* plainAnswer(context: ScenarioContext, text = answerText(context)): Generator<string> {
  const document = createAnswerDocument(context);
  if (context.thinking) yield* thinkingThenEdit(context, document, text);
  else for (const piece of pieces(text, context.settings.answerFrames)) yield document.append('answer', piece);
  yield* document.ending();
  yield endMarker;
}

function* answerEdit(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  yield document.append('answer', 'The capital of France is ');
  const index = document.length();
  yield document.append('answer', 'Lyon. ');
  yield document.edit('answer', index, 'Paris.');
  yield document.append('answer', ' It lies on the Seine.');
  yield* document.ending();
  yield endMarker;
}

function* answerResent(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  const text = answerText(context);
  yield document.append('answer', pieces(text, 2)[0] ?? '');
  yield document.edit('answer', 0, text);
  yield* document.ending();
  yield endMarker;
}

function* messageEvents(context: ScenarioContext): Generator<Step> {
  const text = answerText(context);
  for (const content of pieces(text, context.settings.answerFrames))
    yield eventFrame('chat:message:delta', { content });
  yield eventFrame('chat:message', { content: text });
  yield completionFrame({ done: true, delta_content: '', phase: 'done' });
  yield endMarker;
}

function* empty(context: ScenarioContext): Generator<Step> {
  yield* createAnswerDocument(context).ending();
  yield endMarker;
}

function* usageMissing(context: ScenarioContext): Generator<Step> {
  const document = createAnswerDocument(context);
  for (const piece of pieces(answerText(context), context.settings.answerFrames))
    yield document.append('answer', piece);
  yield* document.doneFrames();
  yield endMarker;
}

/** What arrived at the model, as JSON with the keys in this order. */
function echoText(context: ScenarioContext): string {
  const { model, messages, features, params, mcp_servers, files } = context.body;
  return JSON.stringify({ prompt: context.prompt, model, messages, features, params, mcp_servers, files });
}

/** Answers without anything special in framing or reasoning. */
export const plainAnswers: ScenarioTable = {
  plain: {
    description: 'the normal sequence; with thinking on it is thinking-then-edit',
    steps: (context) => plainAnswer(context),
  },
  echo: {
    description:
      'plain, but the text is JSON of what arrived: prompt, model, messages, features, params, `mcp_servers`, files',
    steps: (context) => plainAnswer(context, echoText(context)),
  },
  empty: { description: 'the usual end without any text before it', steps: empty },
  'usage-missing': { description: 'no frame has usage', steps: usageMissing },
  'user-echo': {
    description: 'first a frame with role user that repeats the input and must be ignored',
    *steps(context) {
      yield completionFrame({
        role: 'user',
        message_id: 'u-1',
        delta_content: context.prompt,
        content: context.prompt,
        phase: 'answer',
      });
      yield* plainAnswer(context);
    },
  },
  'answer-edit': { description: 'an edit takes back the tail of the answer and writes another', steps: answerEdit },
  'answer-resent': {
    description: 'half of the answer as a delta, then all of it as an edit at index 0',
    steps: answerResent,
  },
  'message-events': {
    description: 'chat:message:delta events, then the whole text again as chat:message',
    steps: messageEvents,
  },
};
