import { describe, expect, it } from '@jest/globals';
import { TurnError, type TurnRequest } from '@zai2api/turn';
import { decodeAnthropicCountRequest, decodeAnthropicMessagesRequest } from './decode-request.ts';

const context = { unseal: (sealed: string) => (sealed.startsWith('our ') ? sealed.slice(4) : undefined) };
const user = (content: unknown) => ({ role: 'user', content });
const body = (fields: object = {}) => ({ model: 'glm-5', max_tokens: 10, messages: [user('Hi')], ...fields });

const decode = (fields: object = {}) => decodeAnthropicMessagesRequest(body(fields), context);

function faultOf(value: unknown): TurnError {
  try {
    decodeAnthropicMessagesRequest(value, context);
  } catch (reason) {
    if (TurnError.is(reason)) return reason;
    throw reason;
  }
  throw new Error('The request was accepted.');
}

const tool = (fields: object = {}) => ({ name: 'look', input_schema: { type: 'object' }, ...fields });
const source = (fields: object) => ({ messages: [user([{ type: 'image', source: fields }])] });
const file = (fields: object) => ({ messages: [user([{ type: 'document', source: fields }])] });

describe('a request that is refused', () => {
  it.each([undefined, null, [], 'text', 7])('is no object: %j', (value) => {
    expect(faultOf(value)).toMatchObject({ code: 'invalid_request', message: expect.stringMatching(/JSON object/) });
  });

  it.each<[string, string, object]>([
    ['max_tokens', 'missing_required_parameter', { max_tokens: undefined }],
    ['max_tokens', 'missing_required_parameter', { max_tokens: null }],
    ['max_tokens', 'invalid_value', { max_tokens: -1 }],
    ['max_tokens', 'invalid_type', { max_tokens: 'many' }],
    ['messages', 'missing_required_parameter', { messages: undefined }],
    ['messages', 'invalid_value', { messages: [] }],
    ['messages[0].role', 'invalid_value', { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages[0].content', 'missing_required_parameter', { messages: [{ role: 'user' }] }],
    ['messages[0].content', 'invalid_type', { messages: [user(7)] }],
    ['messages[0].content[0].type', 'missing_required_parameter', { messages: [user([{}])] }],
    ['messages[0].content[0].text', 'missing_required_parameter', { messages: [user([{ type: 'text' }])] }],
    ['messages[0].content[0].text', 'invalid_type', { messages: [user([{ type: 'text', text: 7 }])] }],
    ['messages[0].content[0].source', 'missing_required_parameter', { messages: [user([{ type: 'image' }])] }],
    ['messages[0].content[0].source.type', 'invalid_value', source({ type: 'telepathy' })],
    ['messages[0].content[0].source.data', 'missing_required_parameter', source({ type: 'base64' })],
    ['messages[0].content[0].source', 'invalid_image_url', source({ type: 'base64', data: '!!!' })],
    [
      'messages[0].content[0].source',
      'invalid_image_url',
      source({ type: 'base64', media_type: 'text/html', data: 'AA==' }),
    ],
    ['messages[0].content[0].source.url', 'invalid_image_url', source({ type: 'url', url: 'file:///etc/passwd' })],
    ['messages[0].content[0]', 'file_input_not_supported', source({ type: 'file', file_id: 'file_1' })],
    ['messages[0].content[0]', 'file_input_not_supported', file({ type: 'file', file_id: 'file_1' })],
    ['messages[0].content[0].source.data', 'invalid_file_data', file({ type: 'base64', data: '%' })],
    ['messages[0].content[0].source.url', 'invalid_file_url', file({ type: 'url', url: 'ftp://a/b' })],
    ['messages[0].content[0].source.type', 'invalid_value', file({ type: 'scroll' })],
    [
      'messages[0].content[0].tool_use_id',
      'missing_required_parameter',
      { messages: [user([{ type: 'tool_result' }])] },
    ],
    [
      'messages[1].content[0].input',
      'invalid_type',
      { messages: [user('x'), { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: 'c' }] }] },
    ],
    ['tools[0].name', 'missing_required_parameter', { tools: [{ input_schema: {} }] }],
    ['tools[0].name', 'invalid_value', { tools: [tool({ name: 'a b' })] }],
    ['tools[0].input_schema', 'missing_required_parameter', { tools: [{ name: 'look' }] }],
    ['tools[1].name', 'invalid_value', { tools: [tool(), tool()] }],
    ['tool_choice', 'invalid_value', { tool_choice: { type: 'any' } }],
    ['tool_choice.name', 'missing_required_parameter', { tools: [tool()], tool_choice: { type: 'tool' } }],
    ['tool_choice.name', 'invalid_value', { tools: [tool()], tool_choice: { type: 'tool', name: 'other' } }],
    ['tool_choice.type', 'invalid_value', { tools: [tool()], tool_choice: { type: 'required' } }],
    ['temperature', 'invalid_value', { temperature: 1.5 }],
    ['top_p', 'invalid_type', { top_p: '1' }],
    ['stop_sequences', 'invalid_type', { stop_sequences: 'END' }],
    ['stream', 'invalid_type', { stream: 'yes' }],
    ['output_config.format.schema', 'invalid_json_schema', { output_config: { format: { type: 'json_schema' } } }],
    [
      'output_format.schema',
      'invalid_json_schema',
      { output_format: { type: 'json_schema', schema: { type: 'array' } } },
    ],
  ])('names %s (%s)', (param, reason, fields) => {
    const fault = faultOf(body(fields));
    expect(fault.details).toMatchObject({ layer: 'client', param, reason });
    expect(fault.message).toContain(param);
  });
});

describe('thinking', () => {
  const reasoningOf = (fields: object) => {
    const { request, thinkingDisplay } = decode(fields);
    return { ...request.reasoning, thinkingDisplay };
  };

  it.each<[object, Partial<TurnRequest['reasoning']>]>([
    [{}, { enabled: undefined, byDefault: false, visible: false }],
    [{ thinking: { type: 'disabled' } }, { enabled: false, visible: false, effort: undefined }],
    [{ thinking: { type: 'adaptive' } }, { enabled: undefined, byDefault: undefined, visible: true }],
    [{ thinking: { type: 'between_tools' } }, { enabled: undefined, visible: true }],
    [{ thinking: { type: 'of-next-year' } }, { enabled: undefined, visible: true }],
    [{ thinking: { type: 'enabled' } }, { enabled: true, visible: true, effort: undefined }],
    [{ thinking: { type: 'enabled', budget_tokens: 4096 } }, { enabled: true, effort: 'low' }],
    [{ thinking: { type: 'enabled', budget_tokens: 4097 } }, { enabled: true, effort: 'high' }],
    [{ thinking: { type: 'enabled', budget_tokens: 16_384 } }, { enabled: true, effort: 'high' }],
    [{ thinking: { type: 'enabled', budget_tokens: 16_385 } }, { enabled: true, effort: 'max' }],
    [{ thinking: { type: 'enabled', budget_tokens: 1 }, output_config: { effort: 'xhigh' } }, { effort: 'xhigh' }],
    [{ output_config: { effort: 'high' } }, { effort: undefined, visible: false }],
  ])('%j', (fields, expected) => {
    expect(reasoningOf(fields)).toMatchObject(expected);
  });

  it.each([
    ['omitted', 'omitted'],
    ['summarized', 'shown'],
    ['updates', 'shown'],
    [undefined, 'shown'],
  ])('is displayed %s: %s', (display, thinkingDisplay) => {
    expect(reasoningOf({ thinking: { type: 'adaptive', display } })).toMatchObject({ thinkingDisplay });
  });

  it('M08: comes back by its seal alone, whatever its text says; foreign seals are dropped without a word', () => {
    const content = [
      { type: 'thinking', thinking: 'forged', signature: 'our thought' },
      { type: 'thinking', thinking: 'foreign', signature: 'EqoB' },
      { type: 'thinking', thinking: 'bare' },
      { type: 'redacted_thinking', data: 'our second thought' },
      { type: 'redacted_thinking', data: 'EqoB' },
      { type: 'text', text: 'Yes.' },
    ];
    const { request, warnings } = decode({ messages: [user('Hi'), { role: 'assistant', content }] });
    expect(request.messages[1]).toEqual({
      role: 'assistant',
      text: 'Yes.',
      toolCalls: [],
      reasoning: 'thought\n\nsecond thought',
    });
    expect(warnings).toEqual([]);
  });
});

describe('system', () => {
  it.each<[unknown, string | undefined]>([
    ['Be terse.', 'Be terse.'],
    ['', undefined],
    [[], undefined],
    [[{ type: 'text', text: 'x-anthropic-billing-header: cch=1;' }], undefined],
    [[{ type: 'text', text: 'x-anthropic-billing-header: cch=1;\nBe terse.' }], 'Be terse.'],
    ['x-anthropic-billing-header: cch=1;\nBe terse.', 'Be terse.'],
    [
      [
        { type: 'text', text: 'Be kind.' },
        { type: 'text', text: 'x-anthropic-billing-header: x' },
      ],
      'Be kind.\nx-anthropic-billing-header: x',
    ],
  ])('%j is %j', (system, text) => {
    expect(decode({ system }).request.messages).toEqual([
      ...(text === undefined ? [] : [{ role: 'system', text }]),
      { role: 'user', text: 'Hi', attachments: [] },
    ]);
  });
});

describe('tools', () => {
  const namesOf = (fields: object) => decode(fields).request.tools.map(({ name }) => name);
  const reference = {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'tool_reference', tool_name: 'look' }] }],
  };

  it('M13: are hidden while deferred, until the conversation refers to them', () => {
    const tools = [tool({ defer_loading: true }), tool({ name: 'search' })];
    expect(namesOf({ tools })).toEqual(['search']);
    expect(namesOf({ tools, messages: [user('Hi'), reference] })).toEqual(['look', 'search']);
    expect(namesOf({ tools, tool_choice: { type: 'tool', name: 'look' } })).toEqual(['look', 'search']);
  });

  it('come and go with the conversation, the last word counts', () => {
    const change = (type: string) => ({ type, tool: { type: 'tool_reference', name: 'look' } });
    const messages = (...types: string[]) => ({
      tools: [tool()],
      messages: [user('Hi'), { role: 'system', content: types.map(change) }],
    });
    expect(namesOf(messages('tool_removal'))).toEqual([]);
    expect(namesOf(messages('tool_removal', 'tool_addition'))).toEqual(['look']);
  });

  it.each([
    [[{ type: 'bash_20250124', name: 'bash' }], { type: 'any' }],
    [[{ type: 'bash_20250124', name: 'bash' }], { type: 'tool', name: 'bash' }],
    [[tool({ defer_loading: true })], { type: 'any' }],
  ])('M13: of %j leave the choice to the model when none can be called', (tools, tool_choice) => {
    expect(decode({ tools, tool_choice }).request.toolChoice).toEqual({ mode: 'auto' });
  });

  it.each<[object | undefined, TurnRequest['toolChoice'], boolean]>([
    [undefined, { mode: 'auto' }, true],
    [{ type: 'auto' }, { mode: 'auto' }, true],
    [{ type: 'auto', disable_parallel_tool_use: true }, { mode: 'auto' }, false],
    [{ type: 'any' }, { mode: 'required' }, true],
    [{ type: 'none' }, { mode: 'none' }, true],
    [{ type: 'tool', name: 'look', disable_parallel_tool_use: true }, { mode: 'required', tools: ['look'] }, false],
  ])('choice %j', (tool_choice, toolChoice, parallelToolCalls) => {
    expect(decode({ tools: [tool()], tool_choice }).request).toMatchObject({ toolChoice, parallelToolCalls });
  });

  it('are at most 512, but for those that nobody has found yet', () => {
    const many = (count: number, fields: object = {}) =>
      Array.from({ length: count }, (_, index) => tool({ name: `t${index}`, ...fields }));
    expect(decode({ tools: many(512) }).request.tools).toHaveLength(512);
    expect(faultOf(body({ tools: many(513) }))).toMatchObject({
      code: 'invalid_request',
      details: { param: 'tools', reason: 'invalid_value' },
    });
    expect(decode({ tools: many(2_000, { defer_loading: true }) }).request.tools).toEqual([]);
  });
});

describe('instructions on the way', () => {
  const system = (fields: object) => ({ role: 'system', ...fields });
  const passing = system({ content: 'For now.', clear_at: 'next_user_message' });

  it('M11: keep their place, and some are gone with their turn', () => {
    const lasting = system({ content: [{ type: 'text', text: 'For ever.' }] });
    const textsOf = (...messages: object[]) => decode({ messages }).request.messages.map(({ text }) => text);
    expect(textsOf(user('1'), passing, lasting)).toEqual(['1', 'For now.', 'For ever.']);
    expect(textsOf(user('1'), passing, lasting, user('2'))).toEqual(['1', 'For ever.', '2']);
    expect(textsOf(user('1'), system({ output_config: { effort: 'low' } }))).toEqual(['1']);
  });

  it('say how hard their turn is to be', () => {
    const effortOf = (...messages: object[]) =>
      decode({ messages, thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } }).request.reasoning
        .effort;
    const hard = system({ content: 'x', output_config: { effort: 'max' } });
    expect(effortOf(user('1'), passing)).toBe('medium');
    expect(effortOf(user('1'), hard, passing)).toBe('max');
    expect(effortOf(user('1'), hard, user('2'))).toBe('medium');
  });
});

describe('messages', () => {
  it('keep the order of results and words', () => {
    const content = [
      { type: 'text', text: 'Before.' },
      { type: 'tool_result', tool_use_id: 'a', content: 'one' },
      { type: 'tool_result', tool_use_id: 'b', content: null, is_error: true },
      { type: 'text', text: 'After.' },
    ];
    expect(decode({ messages: [user(content)] }).request.messages).toEqual([
      { role: 'user', text: 'Before.', attachments: [] },
      { role: 'tool', callId: 'a', text: 'one' },
      { role: 'tool', callId: 'b', text: 'The tool call failed.' },
      { role: 'user', text: 'After.', attachments: [] },
    ]);
  });

  it.each([[''], [[]], [[{ type: 'of-next-year' }]]])('may be empty: %j', (content) => {
    expect(decode({ messages: [user(content)] }).request.messages).toEqual([
      { role: 'user', text: '', attachments: [] },
    ]);
  });

  it('leave the words of the client as they were', () => {
    const value = body({ messages: [user([{ type: 'text', text: 'Hi' }])], tools: [tool()] });
    const copy = structuredClone(value);
    decodeAnthropicMessagesRequest(value, context);
    expect(value).toEqual(copy);
  });
});

describe('a thread', () => {
  it('may begin, as the whole conversation is there', () => {
    expect(decode({ thread: { type: 'create' } }).request.messages).toHaveLength(1);
  });

  it('cannot go on: what went before is not there', () => {
    expect(faultOf(body({ thread: { type: 'continue', previous_message_id: 'msg_1' } }))).toMatchObject({
      code: 'not_found',
      details: { reason: 'thread_not_found' },
    });
  });
});

it('keeps what is left of a conversation that another API has shortened', () => {
  const compaction = { type: 'compaction', content: 'They spoke of the weather.', signature: 'x' };
  const { messages } = decode({ messages: [{ role: 'assistant', content: [compaction] }, user('Go on.')] }).request;
  expect(messages[0]).toMatchObject({ role: 'assistant', text: 'They spoke of the weather.' });
});

describe('a request to count', () => {
  it('needs no max_tokens, and is held to its types all the same', () => {
    const { messages, tools } = decodeAnthropicCountRequest({ messages: [user('Hi')], tools: [tool()] }, context);
    expect(messages).toHaveLength(1);
    expect(tools).toHaveLength(1);
    expect(() => decodeAnthropicCountRequest({ max_tokens: 1 }, context)).toThrow("'messages'");
  });
});
