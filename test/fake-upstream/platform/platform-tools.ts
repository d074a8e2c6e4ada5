import { endMarker, pieces } from '../scenarios/frames.ts';
import type { Scenario, ScenarioContext, ScenarioTable } from '../scenarios/scenario.ts';
import { toolTexts, wantedCall, type FakeCall } from '../scenarios/tool-texts.ts';
import { createPlatformAnswer, type PlatformAnswer } from './platform-frames.ts';

type Frames = (answer: PlatformAnswer, call: FakeCall, context: ScenarioContext) => Iterable<string>;

const calling = (description: string, frames: Frames, reason = 'tool_calls'): Scenario => ({
  description,
  *steps(context) {
    const answer = createPlatformAnswer(context);
    yield* frames(answer, wantedCall(context), context);
    yield answer.finish(reason);
    yield endMarker;
  },
});

const entry = (index: number, { name, arguments: text }: FakeCall): unknown => ({
  index,
  id: `call_${index}`,
  type: 'function',
  function: { name, arguments: text },
});

/** A call as `tool_stream` sends it: its name first, its arguments in pieces. */
function* streamed(answer: PlatformAnswer, call: FakeCall, index = 0): Generator<string> {
  yield answer.calls(entry(index, { ...call, arguments: '' }));
  for (const piece of pieces(call.arguments, 3)) yield answer.calls({ index, function: { arguments: piece } });
}

const inRome = (call: FakeCall): FakeCall => ({ ...call, arguments: '{"city":"Rome"}' });

/** Native calls under the names that the web backend's scenarios have, and calls written as text, which models fall back to. */
export const platformTools: ScenarioTable = {
  'tool-call-delta': calling('one streamed call', (answer, call) => streamed(answer, call)),
  'tool-call-delta-two': calling('text, then two streamed calls', function* (answer, call) {
    yield answer.text('I will look.');
    yield* streamed(answer, call);
    yield* streamed(answer, inRome(call), 1);
  }),
  'tool-call-list': calling('a whole call in one chunk', (answer, call) => [answer.calls(entry(0, call))]),
  'tool-call-object': calling('arguments as an object', (answer, call) => [
    answer.calls({
      id: 'call_0',
      type: 'function',
      function: { name: call.name, arguments: JSON.parse(call.arguments) as unknown },
    }),
  ]),
  'tool-call-interleaved': calling('pieces of two calls mixed', (answer, call) => [
    answer.calls(
      entry(0, { ...call, arguments: call.arguments.slice(0, 5) }),
      entry(1, { ...inRome(call), arguments: '{"ci' }),
    ),
    answer.calls({ index: 1, function: { arguments: 'ty":"Rome"}' } }),
    answer.calls({ index: 0, function: { arguments: call.arguments.slice(5) } }),
  ]),
  'tool-call-native-undeclared': calling('a native call of a tool that nobody declared', (answer, call) =>
    streamed(answer, { ...call, name: 'launch_rockets' }),
  ),
  'tool-call-native-broken': calling('a native call whose arguments are not JSON', (answer, call) =>
    streamed(answer, { ...call, arguments: '{"city": Paris, ]' }),
  ),
  ...Object.fromEntries(
    Object.entries(toolTexts).map(([name, { description, text }]) => [
      name,
      calling(
        description,
        function* (answer, call, context) {
          for (const piece of pieces(text(call), context.settings.answerFrames)) yield answer.text(piece);
        },
        'stop',
      ),
    ]),
  ),
};
