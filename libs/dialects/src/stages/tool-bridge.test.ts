import { describe, expect, it } from '@jest/globals';
import { createEventChecker, foldEvents, type ToolDefinition, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { createToolBridge, type ToolBridgeOptions } from './tool-bridge.ts';
import { isUnmetDemand } from './tool-errors.ts';
import { encodeToolCall } from './tool-markup.ts';

const tool = (name: string, strict = false): ToolDefinition => ({
  name,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict,
});
const tools = [tool('get_weather'), tool('now')];
const usage = { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, reasoningTokens: 0, exactness: 'exact' } as const;

/** The answer's events as the bridge shows them, its text handed in as these pieces. */
function bridge(pieces: readonly string[], options: Partial<ToolBridgeOptions> = {}): TurnEvent[] {
  let id = 0;
  const stage = createToolBridge({
    tools,
    toolChoice: { mode: 'auto' },
    parallelToolCalls: true,
    newId: () => String((id += 1)),
    ...options,
  });
  const given: TurnEvent[] = [
    { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] },
    { type: 'text-start', block: 0 },
    ...pieces.filter(Boolean).map((text): TurnEvent => ({ type: 'text-delta', block: 0, text })),
    { type: 'text-end', block: 0 },
    { type: 'turn-end', reason: 'stop', usage },
  ];
  const events = given.flatMap(stage);
  const checker = createEventChecker();
  for (const event of events) checker.push(event);
  checker.end();
  return events;
}

interface Outcome {
  readonly text: string;
  readonly calls: readonly (readonly [string, string])[];
  readonly error?: string | undefined;
}

function outcome(events: readonly TurnEvent[]): Outcome {
  const last = events.at(-1);
  if (last?.type === 'turn-error') return { text: '', calls: [], error: last.error.details.reason };
  const { text, toolCalls, finishReason } = foldEvents(events);
  expect(finishReason).toBe(toolCalls.length > 0 ? 'tool-calls' : 'stop');
  return { text, calls: toolCalls.map((call) => [call.name, call.argumentsText] as const) };
}

function cut(text: string, at: readonly number[]): string[] {
  const places = [0, ...at.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

const nearly = ['<', '<tool', '<tool_', '`<tool_call>`', '</', ']]>', ']>', '```', '``', '`', '```json\n', '{"tool', '<![CDATA[', '\n', ' ', '{', '}', '"', 'tool_calls', '<b>', 'x', 'é🚀', 'a < b'];

describe('calls in our format', () => {
  const name = fc.constantFrom('get_weather', 'now');
  const strings = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(']]>', '</tool_call>', '</tool_calls>', '"\n\t\\', '```', '<tool_call name="now">', ']]]]><![CDATA[>'));
  const value = fc.dictionary(strings, fc.oneof(strings, fc.jsonValue(), fc.array(strings)), { noNullPrototype: true });
  const call = fc.record({ name, value, indent: fc.constantFrom(0, 2) });

  it('come out exactly, with the text before them, wherever the text is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...nearly), { maxLength: 8 }).map((parts) => parts.join('')),
        fc.array(call, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', '\n'),
        fc.array(fc.nat(), { maxLength: 20 }),
        (before, calls, gap, at) => {
          // A fence opened right before the block goes with it.
          fc.pre(!/(?:^|\n)`{3,}[a-z]*\s*$/i.test(before) && !/<tool_$/.test(before) && !before.endsWith('`'));
          const written = calls.map((each) => ({ name: each.name, argumentsText: JSON.stringify(each.value, undefined, each.indent) }));
          const text = `${before}<tool_calls>${gap}${written.map(encodeToolCall).join(gap)}${gap}</tool_calls>`;
          const whole = outcome(bridge([text]));
          expect(whole.calls.map(([called, json]) => [called, JSON.parse(json)])).toEqual(
            calls.map((each) => [each.name, JSON.parse(JSON.stringify(each.value))]),
          );
          expect(whole.text).toBe(before.trimEnd());
          expect(outcome(bridge(cut(text, at)))).toEqual(whole);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('text without calls', () => {
  it('comes out as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...nearly.filter((part) => part !== '<tool_' )), { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 20 }), (parts, at) => {
        const text = parts.join('x');
        expect(outcome(bridge(cut(text, at)))).toEqual({ text, calls: [] });
      }),
    );
  });
});

describe('any soup of markup', () => {
  const soup = ['<tool_calls>', '</tool_calls>', '<tool_call>', '</tool_call>', '<tool_call name="now">', '<tool_call name="get_weather">', '<tool_call name="other">', '<tool_call name="now"/>', '<![CDATA[', ']]>', ']>', ']]]]><![CDATA[>', '<name>', 'now', '</name>', '<arguments>', '</arguments>', '{"name":"now","arguments":{}}', '{"tool_calls":[', '{"city":"Paris"}', '{"city":', '"a"', '}', ']', '[', ',', ':', "'b'", '1', 'true', '\\', '\n', ' ', '```', '```json\n', '`', '<arg_key>city</arg_key>', '<arg_value>', '</arg_value>', '<tool_result id="1">', '</tool_result>', 'text', '<', '</', '\u0000', '\ud83d', '\ude80'];

  it('has one outcome however it is cut, never throws and never leaves a tag behind', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...soup), { maxLength: 14 }), fc.constantFrom('auto', 'required', 'none'), fc.boolean(), fc.array(fc.nat(), { maxLength: 30 }), (parts, mode, parallelToolCalls, at) => {
        const text = parts.join('');
        const options = { toolChoice: { mode }, parallelToolCalls } as const;
        const whole = outcome(bridge([text], options));
        expect(outcome(bridge(cut(text, at), options))).toEqual(whole);
        expect(outcome(bridge(Array.from({ length: text.length }, (_, index) => text.charAt(index)), options))).toEqual(whole);
        for (const [, json] of whole.calls) expect(Object.prototype.toString.call(JSON.parse(json))).toBe('[object Object]');
        if (!text.includes('`')) expect(whole.text).not.toMatch(/<\/?tool_calls?[\s>]/);
      }),
      { numRuns: 3000 },
    );
  });
});
