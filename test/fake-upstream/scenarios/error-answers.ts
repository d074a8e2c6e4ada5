import { httpAnswers } from '../http-faults.ts';
import { createAnswerDocument } from './answer-document.ts';
import { completionFrame, pieces } from './frames.ts';
import { answerText } from './answer-text.ts';
import { plainAnswer } from './plain-answers.ts';
import { errorData, streamErrorNames, streamErrors } from './stream-errors.ts';
import type { Scenario, ScenarioContext, ScenarioTable } from './scenario.ts';
import type { StreamError, StreamErrorName } from './stream-errors.ts';

/** An answer that is nothing but an error frame; also what a failed check answers with. */
export function errorAnswer(error: StreamError): string[] {
  return [completionFrame(errorData(error))];
}

/** INTERNAL_ERROR comes without `done` here: on a `done` frame after content it may be overlooked, in the middle it may not. */
function afterContent(name: StreamErrorName): Scenario {
  return {
    description: `two answer frames, then the ${name} error`,
    *steps(context) {
      const document = createAnswerDocument(context);
      const text = pieces(answerText(context), context.settings.answerFrames);
      for (const piece of text.slice(0, 2)) yield document.append('answer', piece);
      const error = streamErrors[name](context);
      yield completionFrame(name === 'internal' ? { error } : errorData(error));
    },
  };
}

/** Any error name may be asked for with `error=NAME`. */
function chosenError(context: ScenarioContext, otherwise: StreamErrorName): StreamError {
  const wanted = streamErrorNames.find((name) => name === context.parameters.get('error'));
  return streamErrors[wanted ?? otherwise](context);
}

const shaped = (description: string, otherwise: StreamErrorName, write: (error: StreamError) => string): Scenario => ({
  description: `${description} (error=NAME, else ${otherwise})`,
  steps: (context) => [write(chosenError(context, otherwise))],
});

const bareFrame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const jsonHead = { status: 200, contentType: 'application/json', body: '' };

const classes = Object.fromEntries(
  streamErrorNames.flatMap((name): [string, Scenario][] => [
    [
      `error-${name}`,
      { description: `only the ${name} error`, steps: (context) => errorAnswer(streamErrors[name](context)) },
    ],
    [`error-${name}-after-content`, afterContent(name)],
  ]),
);

const http = Object.fromEntries(
  Object.entries(httpAnswers).map(([name, head]): [string, Scenario] => [
    `http-${name}`,
    { description: `HTTP ${head.status}, ${head.contentType}`, head, steps: () => [] },
  ]),
);

/** Every error class of protocol 8.1 before and after content, every place an error object was seen in, every HTTP error of 8.2. */
export const errorAnswers: ScenarioTable = {
  ...classes,
  'error-on-done': {
    description: 'the whole answer, then INTERNAL_ERROR on the done frame: the turn is good',
    steps: (context) => plainAnswer({ ...context, unknownChat: true }),
  },
  'error-nested': shaped('the error in data.data.error', 'concurrency', (error) =>
    completionFrame({ data: { done: true, error } }),
  ),
  'error-inner': shaped('the error in data.inner.error', 'internal', (error) => completionFrame({ inner: { error } })),
  'error-top-level': shaped('the error beside data', 'model-busy', (error) =>
    bareFrame({ type: 'chat:completion', error }),
  ),
  'error-detail-object': shaped('a numeric code whose detail is the code and message', 'challenge', (error) =>
    bareFrame({ error: { code: 403, detail: { code: error['code'], message: error['detail'] } } }),
  ),
  'error-chat-error': shaped('an event of type chat:error', 'internal', (error) =>
    bareFrame({ type: 'chat:error', data: error }),
  ),
  'error-flat': shaped('an envelope that is the error itself', 'challenge', (error) =>
    bareFrame({ type: 'error', code: 403, message: error['code'], param: error['captcha_error_type'] }),
  ),
  'error-event': shaped(
    'a named SSE event',
    'internal',
    (error) => `event: error\n${bareFrame({ code: error['code'], message: error['detail'] })}`,
  ),
  'json-without-data': {
    ...shaped('200 application/json: the bare error, no data: line', 'internal', (error) => JSON.stringify(error)),
    head: jsonHead,
  },
  'html-405': { description: 'the edge block page', head: httpAnswers.waf, steps: () => [] },
  ...http,
};
