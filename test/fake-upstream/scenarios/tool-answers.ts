import { createAnswerDocument } from './answer-document.ts';
import { completionFrame, endMarker, pieces } from './frames.ts';
import { answerText } from './answer-text.ts';
import { toolTexts, wantedCall, xmlCall } from './tool-texts.ts';
import type { AnswerDocument } from './answer-document.ts';
import type { FakeCall } from './tool-texts.ts';
import type { Scenario, ScenarioContext, ScenarioTable } from './scenario.ts';

type Frames = (context: ScenarioContext, document: AnswerDocument, call: FakeCall) => Iterable<string>;

const answer = (description: string, frames: Frames): Scenario => ({
  description,
  *steps(context) {
    const document = createAnswerDocument(context);
    yield* frames(context, document, wantedCall(context));
    yield* document.ending();
    yield endMarker;
  },
});

/** A call written as text by the model, in several answer deltas. */
const written = (description: string, text: (call: FakeCall) => string): Scenario =>
  answer(description, function* (context, document, call) {
    for (const piece of pieces(text(call), context.settings.answerFrames)) yield document.append('answer', piece);
  });

const metadataBlock = (call: FakeCall, type: string, server: string | null): string =>
  JSON.stringify({
    type,
    data: {
      metadata: {
        id: 't-1',
        name: call.name,
        arguments: call.arguments,
        result: '',
        display_result: '',
        duration: '...',
        status: 'completed',
        is_error: false,
        mcp_server: { name: server },
      },
      thought: null,
    },
  });

const functionBlock = (call: FakeCall): string => JSON.stringify({ id: 't-1', type: 'function', function: call });

const toolFrame = (data: Readonly<Record<string, unknown>>): string => completionFrame({ phase: 'tool_call', ...data });

function* nativeDeltas(call: FakeCall, id: string): Generator<string> {
  const metadata = { tool_call_id: id };
  yield toolFrame({ delta_name: call.name, delta_arguments: '', metadata });
  for (const piece of pieces(call.arguments, 2)) yield toolFrame({ delta_arguments: piece, metadata });
}

/** Every form of a client tool call (protocol 5.6, 6). */
export const toolAnswers: ScenarioTable = {
  'tool-call-glm-block': answer(
    'a `<glm_block>` with data.metadata, by edit at the end',
    function* (_context, document, call) {
      yield document.append('answer', 'I will look.');
      const block = `\n\n<glm_block view="" tool_call_name="${call.name}">${metadataBlock(call, 'tool_call', null)}</glm_block>`;
      yield document.edit('tool_call', document.length(), block);
    },
  ),
  'tool-call-glm-function': answer(
    'a `<glm_block type="tool_call">` with a function object, by edit',
    function* (_context, document, call) {
      const block = `<glm_block type="tool_call" view="">${functionBlock(call)}</glm_block>`;
      yield document.edit('tool_call', document.length(), block);
    },
  ),
  'tool-call-delta': answer('delta_name, then delta_arguments in two pieces', (_context, _document, call) =>
    nativeDeltas(call, 't-1'),
  ),
  'tool-call-delta-two': answer(
    'text, then two native calls one after the other',
    function* (_context, document, call) {
      yield document.append('answer', 'I will look.');
      yield* nativeDeltas(call, 't-1');
      yield* nativeDeltas({ ...call, arguments: '{"city":"Rome"}' }, 't-2');
    },
  ),
  'tool-call-list': answer('an OpenAI-shaped tool_calls list in data', (_context, _document, call) => [
    completionFrame({ phase: 'answer', tool_calls: [{ id: 't-2', type: 'function', function: call }] }),
  ]),
  ...Object.fromEntries(
    Object.entries(toolTexts).map(([name, { description, text }]) => [name, written(description, text)]),
  ),
  'tool-call-in-thinking': answer('the XML stands in the thinking text only', function* (context, document, call) {
    yield document.append(
      'thinking',
      `<details type="reasoning" done="false">\n<summary>Thinking…</summary>\n> <tool_calls>${xmlCall(call)}</tool_calls>`,
    );
    yield document.append('answer', `\n</details>\n${answerText(context)}`);
  }),
  'tool-call-after-thinking': answer(
    'thinking, closed in an answer delta, then the XML',
    function* (context, document, call) {
      const quoted = context.settings.thinkingText.replaceAll('\n', '\n> ');
      yield document.append(
        'thinking',
        `<details type="reasoning" done="false">\n<summary>Thinking…</summary>\n> ${quoted}`,
      );
      yield document.append('answer', `\n</details>\n<tool_calls>${xmlCall(call)}</tool_calls>`);
    },
  ),
  'mcp-block': answer(
    "the site's own search tool between two pieces of text: to be skipped",
    function* (_context, document) {
      yield document.append('answer', 'Before the search.');
      const search = { name: 'search', arguments: '{"queries":["x"]}' };
      const block = `\n\n<glm_block view="" tool_call_name="search">${metadataBlock(search, 'mcp', 'mcp-server')}</glm_block>`;
      yield document.edit('tool_call', document.length(), block);
      yield document.append('answer', '\n\nAfter the search.');
    },
  ),
};
