import { describe, expect, it } from '@jest/globals';
import {
  createEventChecker,
  foldEvents,
  TurnError,
  type ToolDefinition,
  type TurnEvent,
  type TurnMessage,
} from '@zai2api/turn';
import fc from 'fast-check';
import { createToolBridge, type ToolBridgeOptions } from './tool-bridge.ts';
import { isUnmetDemand } from './tool-errors.ts';
import { LOOP_ERROR_TIMES } from './tool-loop.ts';
import { encodeToolCall } from './tool-markup.ts';

const tool = (name: string, strict = false): ToolDefinition => ({
  name,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict,
});
const tools = [tool('get_weather'), tool('now')];
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };

/** What the bridge makes of these events. */
function run(given: readonly TurnEvent[], options: Partial<ToolBridgeOptions> = {}): TurnEvent[] {
  let id = 0;
  const stage = createToolBridge({
    tools,
    toolChoice: { mode: 'auto' },
    parallelToolCalls: true,
    newId: () => String((id += 1)),
    ...options,
  });
  const events = [start, ...given].flatMap(stage);
  const checker = createEventChecker();
  for (const event of events) checker.push(event);
  checker.end();
  return events;
}

const answer = (...pieces: string[]): TurnEvent[] => [
  { type: 'text-start', block: 0 },
  ...pieces.filter(Boolean).map((text): TurnEvent => ({ type: 'text-delta', block: 0, text })),
  { type: 'text-end', block: 0 },
];

/** The answer's events as the bridge shows them, its text handed in as these pieces. */
const bridge = (pieces: readonly string[], options?: Partial<ToolBridgeOptions>): TurnEvent[] =>
  run([...answer(...pieces), end], options);

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

const nearly = [
  '<',
  '<tool',
  '<tool_',
  '`<tool_call>`',
  '</',
  ']]>',
  ']>',
  '```',
  '``',
  '`',
  '```json\n',
  '{"tool',
  '<![CDATA[',
  '\n',
  ' ',
  '{',
  '}',
  '"',
  'tool_',
  '<b>',
  'x',
  'é🚀',
  'a < b',
];

describe('calls in our format', () => {
  const name = fc.constantFrom('get_weather', 'now');
  const strings = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      ']]>',
      '</tool_call>',
      '</tool_calls>',
      '"\n\t\\',
      '```',
      '<tool_call name="now">',
      ']]]]><![CDATA[>',
    ),
  );
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
          const written = calls.map((each) => ({
            name: each.name,
            argumentsText: JSON.stringify(each.value, undefined, each.indent),
          }));
          const text = `${before}<tool_calls>${gap}${written.map(encodeToolCall).join(gap)}${gap}</tool_calls>`;
          const whole = outcome(bridge([text]));
          const parsed = whole.calls.map(([called, json]) => [called, JSON.parse(json) as unknown]);
          expect(parsed).toEqual(written.map((each) => [each.name, JSON.parse(each.argumentsText) as unknown]));
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
      fc.property(
        fc.array(fc.constantFrom(...nearly.filter((part) => part !== '<tool_')), { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (parts, at) => {
          const text = parts.join('x');
          expect(outcome(bridge(cut(text, at)))).toEqual({ text, calls: [] });
        },
      ),
    );
  });
});

describe('any soup of markup', () => {
  const soup = [
    '<tool_calls>',
    '</tool_calls>',
    '<tool_call>',
    '</tool_call>',
    '<tool_call name="now">',
    '<tool_call name="get_weather">',
    '<tool_call name="other">',
    '<tool_call name="now"/>',
    '<![CDATA[',
    ']]>',
    ']>',
    ']]]]><![CDATA[>',
    '<name>',
    'now',
    '</name>',
    '<arguments>',
    '</arguments>',
    '{"name":"now","arguments":{}}',
    '{"tool_calls":[',
    '{"city":"Paris"}',
    '{"city":',
    '"a"',
    '}',
    ']',
    '[',
    ',',
    ':',
    "'b'",
    '1',
    'true',
    '\\',
    '\n',
    ' ',
    '```',
    '```json\n',
    '`',
    '<arg_key>city</arg_key>',
    '<arg_value>',
    '</arg_value>',
    '<tool_result id="1">',
    '</tool_result>',
    'text',
    '<',
    '</',
    '\u0000',
    '\ud83d',
    '\ude80',
  ];

  it('has one outcome however it is cut, never throws and never leaves a tag behind', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...soup), { maxLength: 14 }),
        fc.constantFrom('auto', 'required', 'none'),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 30 }),
        (parts, mode, parallelToolCalls, at) => {
          const text = parts.join('');
          const options = { toolChoice: { mode }, parallelToolCalls } as const;
          const whole = outcome(bridge([text], options));
          expect(outcome(bridge(cut(text, at), options))).toEqual(whole);
          expect(
            outcome(
              bridge(
                Array.from({ length: text.length }, (_, index) => text.charAt(index)),
                options,
              ),
            ),
          ).toEqual(whole);
          for (const [, json] of whole.calls)
            expect(Object.prototype.toString.call(JSON.parse(json))).toBe('[object Object]');
          if (!text.includes('`')) expect(whole.text).not.toMatch(/<\/?tool_calls?[\s>]/);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

function errorOf(events: readonly TurnEvent[]): TurnError {
  const last = events.at(-1);
  if (last?.type !== 'turn-error') throw new Error('no error');
  return last.error;
}

const paris = encodeToolCall({ name: 'get_weather', argumentsText: '{"city":"Paris"}' });
const native = (name: string, ...pieces: string[]): TurnEvent[] => [
  { type: 'tool-call-start', block: 7, callId: 't-1', name },
  ...pieces.map((argumentsText): TurnEvent => ({ type: 'tool-call-delta', block: 7, argumentsText })),
  { type: 'tool-call-end', block: 7 },
];
const thought = (text: string): TurnEvent[] => [
  { type: 'reasoning-start', block: 0 },
  { type: 'reasoning-delta', block: 0, text },
  { type: 'reasoning-end', block: 0, summary: 'Thought' },
];

describe('a request without tools', () => {
  it('is not touched, whatever its text says, and has no calls', () => {
    const text = answer(paris, '{"tool_calls":[]}');
    expect(run([...text, end], { tools: [] })).toEqual([start, ...text, end]);
    expect(run([...text, ...native('get_weather', '{}'), end], { tools: [] })).toEqual([start, ...text, end]);
  });
});

describe('arguments', () => {
  const deltas = (events: readonly TurnEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'tool-call-delta' ? [event.argumentsText] : []));

  it('flow while the call is still being written', () => {
    expect(deltas(bridge(['<tool_call name="now"><![CDATA[{"a":"one', ' two', ' three"}]]></tool_call>']))).toEqual([
      '{"a":"one',
      ' two',
      ' three"}',
    ]);
  });

  it('of a strict tool wait for its schema', () => {
    const strict = { tools: [tool('now', true)], checkArguments: () => [] };
    expect(deltas(bridge(['<tool_call name="now"><![CDATA[{"a":"one', ' two"}]]></tool_call>'], strict))).toEqual([
      '{"a":"one two"}',
    ]);
  });

  it.each([
    [true, 'invalid_tool_call'],
    [false, undefined],
  ])('that the schema refuses are an error when strict is %p', (strict, reason) => {
    const checked: unknown[] = [];
    const events = bridge([paris], {
      tools: [tool('get_weather', strict)],
      checkArguments: (_tool, value) => {
        checked.push(value);
        return ['/city must be a number'];
      },
    });
    expect(outcome(events).error).toBe(reason);
    expect(checked).toEqual(strict ? [{ city: 'Paris' }] : []);
    if (strict)
      expect(errorOf(events).message).toContain('get_weather do not match its schema: /city must be a number');
  });

  it('keep numbers that no double can hold', () => {
    expect(
      outcome(bridge(['<tool_call>{"name":"now","arguments":{"id":12345678901234567890}}</tool_call>'])).calls,
    ).toEqual([['now', '{"id":12345678901234567890}']]);
  });

  it('of a megabyte may come in small pieces', () => {
    const json = JSON.stringify({ content: 'All work and no "play".\n'.repeat(40_000) });
    const text = encodeToolCall({ name: 'now', argumentsText: json });
    const pieces = Array.from({ length: Math.ceil(text.length / 10) }, (_, index) =>
      text.slice(index * 10, index * 10 + 10),
    );
    // Takes minutes when each piece is a reason to go through the whole text again.
    expect(outcome(bridge(pieces)).calls).toEqual([['now', json]]);
  });

  it('that are nested without end are refused without a throw', () => {
    const deep = '['.repeat(200_000);
    for (const text of [
      `<tool_call name="now"><![CDATA[{"a":${deep}`,
      `<tool_call>{"name":"now","arguments":${deep}</tool_call>`,
      `<tool_calls>${deep}</tool_calls>`,
    ]) {
      expect(outcome(bridge([text])).error).toBe('invalid_tool_call');
    }
  });
});

describe('call ids', () => {
  it.each(['0b3c9f1e-0000-4000-8000-00000000cafe', 'a'.repeat(80), 'with spaces & more'])(
    'made of %p are what clients take',
    (id) => {
      const [call] = foldEvents(bridge([paris], { newId: () => id })).toolCalls;
      expect(call?.callId).toMatch(/^call_[A-Za-z0-9_-]{1,35}$/);
    },
  );
});

describe('an unmet demand', () => {
  const required = { toolChoice: { mode: 'required' } } as const;

  it('may be asked for again while nothing but thinking was sent', () => {
    for (const events of [
      run([...thought('Hm.'), ...answer('No.'), end], required),
      bridge(['<tool_call name="other">{}</tool_call>']),
      bridge(['<tool_call name="now">["a"]</tool_call>']),
      bridge(['Text.<tool_call name="now">["a"]</tool_call>'], required),
    ]) {
      expect(isUnmetDemand(errorOf(events))).toBe(true);
      expect(errorOf(events).details.recovery).toBeUndefined();
      expect(events.filter(({ type }) => type === 'text-delta' || type === 'tool-call-start')).toEqual([]);
    }
  });

  it('is final once text or a call was sent, and other errors are none', () => {
    for (const text of [
      `Text.<tool_call name="now">["a"]</tool_call>`,
      `${paris}<tool_call name="now">["a"]</tool_call>`,
      '<tool_call name="now">{"a":"b',
    ]) {
      const error = errorOf(bridge([text]));
      expect([error.details.reason, isUnmetDemand(error)]).toEqual(['invalid_tool_call', false]);
    }
    expect(isUnmetDemand(new TurnError('upstream_busy', 'x', { layer: 'upstream' }))).toBe(false);
  });

  it('is met by a call in the thinking, though there is text', () => {
    const events = run([...thought(`<tool_calls>${paris}</tool_calls>`), ...answer('Done.'), end], required);
    expect(outcome(events)).toEqual({ text: 'Done.', calls: [['get_weather', '{"city":"Paris"}']] });
  });
});

describe('a call in the thinking', () => {
  it.each([
    [
      'only drafted',
      `<tool_calls>${encodeToolCall({ name: 'now', argumentsText: '{}' })}</tool_calls> no: <tool_calls>${paris}</tool_calls>`,
      [['get_weather', '{"city":"Paris"}']],
    ],
    ['not complete', '<tool_call name="now"><![CDATA[{"a":', []],
    ['in need of repair', '<tool_call name="now"><![CDATA[{"a": b}]]></tool_call>', []],
    ['of an unknown tool', '<tool_call name="other"><![CDATA[{}]]></tool_call>', []],
  ])('that is %s', (_name, text, calls) => {
    const events = run([...thought(`So: ${text}`), end]);
    expect(outcome(events)).toEqual({ text: '', calls });
    expect(foldEvents(events).reasoning).not.toMatch(/<|CDATA/);
  });
});

describe('native calls', () => {
  it('stand beside text and calls in text, and are checked like those', () => {
    const events = run([
      ...answer('Looking. <'),
      ...native('get_weather', '{"city":', '"Rome"}'),
      ...native('other', '{}'),
      ...answer(paris),
      end,
    ]);
    expect(outcome(events)).toEqual({
      text: 'Looking. <',
      calls: [
        ['get_weather', '{"city":"Rome"}'],
        ['get_weather', '{"city":"Paris"}'],
      ],
    });
    expect(outcome(run([...native('now', "{'a': 1}"), end])).calls).toEqual([['now', '{"a": 1}']]);
    expect(outcome(run([...native('now', '{"a":"b'), end])).error).toBe('invalid_tool_call');
  });
});

describe('an answer that fails or is cut', () => {
  const broken = new TurnError('upstream_failed', 'Cut.', { layer: 'upstream' });

  it('fails as it did, whatever was open', () => {
    for (const text of [
      'Text <',
      '<tool_call name="now"><![CDATA[{"a":"b',
      '```json\n{"tool_calls":[',
      '<tool_call>{"name"',
    ]) {
      expect(errorOf(run([...answer(text), { type: 'turn-error', error: broken }]))).toBe(broken);
    }
  });

  it('shows text that was held when it fails', () => {
    const events = run([...answer('a <'), { type: 'turn-error', error: broken }]);
    expect(events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('')).toBe('a <');
  });

  it('because the upstream refused is no unmet demand', () => {
    const refused = { ...end, reason: 'content-filter' } as const;
    const events = run([...answer('I must '), refused], { toolChoice: { mode: 'required' } });
    expect(foldEvents(events)).toMatchObject({ text: 'I must ', finishReason: 'content-filter' });
  });

  it('by its length is not completed by guessing', () => {
    const cutEnd = { ...end, reason: 'length' } as const;
    const open = '<tool_call name="now"><![CDATA[{"a":1';
    expect(outcome(run([...answer(open), cutEnd])).error).toBe('invalid_tool_call');
    expect(outcome(run([...answer(open), end])).calls).toEqual([['now', '{"a":1}']]);
  });
});

describe('a tool that is not there', () => {
  it('is reported by name', () => {
    const dropped: string[] = [];
    bridge(['Hm.<tool_call name="other">{}</tool_call><tool_call>{"name":"more"}</tool_call>'], {
      onDropped: (name) => dropped.push(name),
    });
    expect(dropped).toEqual(['other', 'more']);
  });
});

describe('a call that is made again and again', () => {
  const rounds = (times: number): TurnMessage[] =>
    Array.from({ length: times }, (_, index): TurnMessage[] => [
      {
        role: 'assistant',
        text: '',
        toolCalls: [{ callId: `c${index}`, name: 'get_weather', argumentsText: '{ "city": "Paris" }' }],
      },
      { role: 'tool', callId: `c${index}`, text: '21 °C' },
    ]).flat();

  it.each([
    [LOOP_ERROR_TIMES - 1, paris, undefined],
    [LOOP_ERROR_TIMES, paris, 'tool_call_loop'],
    [LOOP_ERROR_TIMES, paris.replace('Paris', 'Rome'), undefined],
  ])('after %p rounds', (times, text, reason) => {
    const events = bridge([text], { messages: rounds(times) });
    expect(outcome(events).error).toBe(reason);
    if (reason !== undefined) expect(isUnmetDemand(errorOf(events))).toBe(false);
  });
});
