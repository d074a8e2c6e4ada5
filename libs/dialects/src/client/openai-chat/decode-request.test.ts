import { describe, expect, it } from '@jest/globals';
import { reasoningRenderings, TurnError } from '@zai2api/turn';
import { decodeOpenAiChatRequest } from './decode-request.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const decode = (body: Record<string, unknown>) => decodeOpenAiChatRequest({ model: 'glm-5', messages, ...body });
const warned = (body: Record<string, unknown>) => decode(body).warnings.map(({ field }) => field);

function faultOf(body: unknown): { code: string; param: string | undefined; reason: string | undefined } {
  try {
    decodeOpenAiChatRequest(body);
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    expect(error.details.layer).toBe('client');
    return { code: error.code, param: error.details.param, reason: error.details.reason };
  }
  throw new Error('The body was accepted.');
}

describe('a faulty request', () => {
  it.each([[undefined], [null], ['text'], [[]], [5]])('is refused when the body is %p', (body) => {
    expect(faultOf(body)).toEqual({ code: 'invalid_request', param: undefined, reason: undefined });
  });

  const invalidType = 'invalid_type';
  const invalidValue = 'invalid_value';
  const missing = 'missing_required_parameter';
  const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
  const assistant = (fields: object) => ({ messages: [{ role: 'assistant', ...fields }] });

  it.each<[Record<string, unknown>, string, string]>([
    [{ messages: undefined }, 'messages', missing],
    [{ messages: null }, 'messages', missing],
    [{ messages: [] }, 'messages', invalidValue],
    [{ messages: 'Hi' }, 'messages', invalidType],
    [{ messages: ['Hi'] }, 'messages[0]', invalidType],
    [{ messages: [...messages, {}] }, 'messages[1].role', missing],
    [{ messages: [{ role: 'robot', content: 'Hi' }] }, 'messages[0].role', invalidValue],
    [{ messages: [...messages, { role: 'user' }] }, 'messages[1].content', missing],
    [{ messages: [{ role: 'system', content: null }] }, 'messages[0].content', missing],
    [user(5), 'messages[0].content', invalidType],
    [user(['Hi']), 'messages[0].content[0]', invalidType],
    [user([{ text: 'Hi' }]), 'messages[0].content[0].type', missing],
    [user([{ type: 5 }]), 'messages[0].content[0].type', invalidType],
    [user([{ type: 'text', text: 'a' }, { type: 'hologram' }]), 'messages[0].content[1].type', invalidValue],
    [user([{ type: 'text' }]), 'messages[0].content[0].text', missing],
    [user([{ type: 'text', text: 5 }]), 'messages[0].content[0].text', invalidType],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id', missing],
    [{ messages: [{ role: 'function', content: 'x' }] }, 'messages[0].name', missing],
    [assistant({ tool_calls: [{ function: { name: 'f' } }] }), 'messages[0].tool_calls[0].id', missing],
    [assistant({ tool_calls: [{ id: 'a' }] }), 'messages[0].tool_calls[0].function', missing],
    [assistant({ tool_calls: [{ id: 'a', function: {} }] }), 'messages[0].tool_calls[0].function.name', missing],
    [
      assistant({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: 5 } }] }),
      'messages[0].tool_calls[0].function.arguments',
      invalidType,
    ],
    [{ model: 5 }, 'model', invalidType],
    [{ stream: 'yes' }, 'stream', invalidType],
    [{ stream_options: { include_usage: 1 } }, 'stream_options.include_usage', invalidType],
    [{ temperature: 2.1 }, 'temperature', invalidValue],
    [{ temperature: -1 }, 'temperature', invalidValue],
    [{ temperature: '1' }, 'temperature', invalidType],
    [{ top_p: 1.1 }, 'top_p', invalidValue],
    [{ max_tokens: 0 }, 'max_tokens', invalidValue],
    [{ max_completion_tokens: 1.5 }, 'max_completion_tokens', invalidType],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop', invalidValue],
    [{ stop: [1] }, 'stop[0]', invalidType],
    [{ stop: 1 }, 'stop', invalidType],
    [{ reasoning_effort: 'huge' }, 'reasoning_effort', invalidValue],
    [{ thinking: { type: 'sometimes' } }, 'thinking.type', invalidValue],
    [{ reasoning: { effort: 'huge' } }, 'reasoning.effort', invalidValue],
    [{ enable_thinking: 'true' }, 'enable_thinking', invalidType],
    [{ n: 0 }, 'n', invalidValue],
    [{ frequency_penalty: 3 }, 'frequency_penalty', invalidValue],
    [{ presence_penalty: -3 }, 'presence_penalty', invalidValue],
    [{ top_logprobs: 21 }, 'top_logprobs', invalidValue],
    [{ response_format: { type: 'xml' } }, 'response_format.type', invalidValue],
    [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, 'tools[0].function.name', invalidValue],
    [{ tool_choice: 'sometimes' }, 'tool_choice', invalidValue],
    [{ parallel_tool_calls: 'no' }, 'parallel_tool_calls', invalidType],
    [{ think_tags_mode: 'loud' }, 'think_tags_mode', invalidValue],
  ])('%j is refused at %s', (body, param, reason) => {
    expect(faultOf({ model: 'glm-5', messages, ...body })).toEqual({ code: 'invalid_request', param, reason });
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ n: 2 }, 'n', 'unsupported_value'],
    [{ logprobs: true }, 'logprobs', 'unsupported_parameter'],
    [{ top_logprobs: 1 }, 'top_logprobs', 'unsupported_parameter'],
    [{ modalities: ['text', 'audio'] }, 'modalities', 'unsupported_value'],
    [{ audio: { voice: 'x' } }, 'audio', 'unsupported_parameter'],
  ])('%j cannot be given', (body, param, reason) => {
    expect(faultOf({ model: 'glm-5', messages, ...body })).toEqual({ code: 'unsupported', param, reason });
  });

  it('is described without the words of the client', () => {
    const secret = 'sk-secret';
    const bodies = [
      { model: 'x', messages: [{ role: secret }] },
      { messages, reasoning_effort: secret },
    ];
    for (const body of bodies) expect(() => decodeOpenAiChatRequest(body)).toThrow(/^(?!.*sk-secret)/);
  });
});

describe('a minimal request', () => {
  it('says nothing that the client did not say', () => {
    expect(decodeOpenAiChatRequest({ messages })).toEqual({
      request: {
        model: '',
        messages: [{ role: 'user', text: 'Hi', attachments: [] }],
        reasoning: { enabled: undefined, effort: undefined, visible: true, rendering: undefined },
        webSearch: undefined,
        tools: [],
        toolChoice: { mode: 'auto' },
        parallelToolCalls: true,
        responseFormat: { type: 'text' },
        sampling: { temperature: undefined, topP: undefined, maxOutputTokens: undefined, stop: [] },
      },
      stream: false,
      form: { includeUsage: false, legacyFunctions: false },
      warnings: [],
    });
  });

  it('means the same with nulls everywhere', () => {
    const fields =
      'model stream stream_options max_completion_tokens max_tokens temperature do_sample top_p stop tools tool_choice parallel_tool_calls functions function_call response_format think_tags_mode reasoning_effort thinking enable_thinking chat_template_kwargs reasoning web_search_options n logprobs top_logprobs modalities audio frequency_penalty presence_penalty logit_bias seed user metadata store unknown_field';
    const nulls = Object.fromEntries(fields.split(' ').map((field) => [field, null]));
    const message = { role: 'user', content: 'Hi', name: null, tool_calls: null, refusal: null, cache_control: null };
    expect(decodeOpenAiChatRequest({ ...nulls, messages: [message] })).toEqual(decodeOpenAiChatRequest({ messages }));
  });

  it('means the same with nulls inside its objects', () => {
    const body = {
      stream_options: { include_usage: null },
      thinking: { type: null },
      reasoning: { effort: null, enabled: null, exclude: null, max_tokens: null },
      chat_template_kwargs: { enable_thinking: null },
    };
    expect(decode(body)).toEqual(decode({}));
  });
});

describe('earlier thinking', () => {
  const thought = { role: 'assistant', content: '', reasoning_content: 'hm' };

  it('is kept between a call and the next answer, and dropped once the user spoke', () => {
    const { request } = decode({
      messages: [thought, ...messages, thought, { role: 'tool', tool_call_id: 'a', content: 'x' }],
    });
    expect(request.messages.map((message) => 'reasoning' in message && message.reasoning)).toEqual([
      false,
      false,
      'hm',
      false,
    ]);
  });
});

describe('sampling', () => {
  it('passes on what was asked for', () => {
    const { request, stream, form } = decode({
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      top_p: 1,
      max_tokens: 10,
      stop: 'END',
    });
    expect(request.sampling).toEqual({ temperature: 0, topP: 1, maxOutputTokens: 10, stop: ['END'] });
    expect([stream, form.includeUsage]).toEqual([true, true]);
  });

  it.each([
    [{ max_tokens: 10, max_completion_tokens: 20 }, { maxOutputTokens: 20 }],
    [{ max_tokens: 131_072 }, { maxOutputTokens: 131_072 }],
    [{ stop: ['', 'a', ''] }, { stop: ['a'] }],
    [{ stop: '' }, { stop: [] }],
    [{ do_sample: false, temperature: 1 }, { temperature: 0 }],
    [{ do_sample: true, temperature: 1 }, { temperature: 1 }],
  ])('%j', (body, expected) => {
    expect(decode(body).request.sampling).toMatchObject(expected);
  });
});

describe('thinking', () => {
  it.each([
    [{}, undefined, undefined],
    [{ thinking: { type: 'enabled' } }, true, undefined],
    [{ thinking: { type: 'disabled' } }, false, undefined],
    [{ thinking: { type: 'adaptive' } }, undefined, undefined],
    [{ enable_thinking: false }, false, undefined],
    [{ chat_template_kwargs: { enable_thinking: true } }, true, undefined],
    [{ reasoning: true }, true, undefined],
    [{ reasoning: { enabled: false } }, false, undefined],
    [{ reasoning_effort: 'none' }, false, 'none'],
    [{ reasoning_effort: 'minimal' }, false, 'minimal'],
    [{ reasoning_effort: 'low' }, true, 'low'],
    [{ reasoning: { effort: 'xhigh' } }, true, 'xhigh'],
    [{ reasoning_effort: 'max', reasoning: { effort: 'low' } }, true, 'max'],
    [{ thinking: { type: 'enabled' }, enable_thinking: false }, true, undefined],
    [{ thinking: { type: 'enabled' }, reasoning_effort: 'none' }, true, undefined],
    [{ thinking: { type: 'disabled' }, reasoning_effort: 'high' }, false, undefined],
    [{ enable_thinking: true, reasoning_effort: 'high', reasoning: { enabled: false } }, true, 'high'],
    [{ reasoning: { enabled: false, effort: 'high' } }, false, undefined],
  ])('%j', (body, enabled, effort) => {
    expect(decode(body).request.reasoning).toEqual({ enabled, effort, visible: true });
  });

  it('is hidden when the client excludes it', () => {
    expect(decode({ reasoning: { exclude: true } }).request.reasoning.visible).toBe(false);
  });

  it.each(reasoningRenderings)('is shown as %s when the client says so', (rendering) => {
    const { request, warnings } = decode({ think_tags_mode: rendering });
    expect(request.reasoning).toEqual({ enabled: undefined, effort: undefined, visible: true, rendering });
    expect(warnings).toEqual([]);
  });
});

describe('warnings', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{ tools: [], functions: [], tool_choice: 'auto' }, []],
    [{ temperature: 0.5, top_p: 0.5, max_tokens: 5, stop: 'a' }, []],
    [{ n: 1, logprobs: false, top_logprobs: 0, modalities: ['text'], response_format: { type: 'text' } }, []],
    [{ frequency_penalty: 0, presence_penalty: 0, logit_bias: {}, store: false, service_tier: 'auto' }, []],
    [{ parallel_tool_calls: false, user: '', metadata: {} }, []],
    [{ frequency_penalty: 1, presence_penalty: -1 }, ['frequency_penalty', 'presence_penalty']],
    [{ seed: 0, logit_bias: { 5: 1 }, user: 'me', store: true }, ['seed', 'logit_bias', 'user', 'store']],
    [{ thinking: { type: 'enabled', budget_tokens: 5 } }, ['thinking.budget_tokens']],
    [{ stream_options: { include_obfuscation: true } }, ['stream_options.include_obfuscation']],
    [{ 'bad name\r\nx: y': 1, ['k'.repeat(99)]: 1 }, ['bad_name__x__y', 'k'.repeat(64)]],
  ])('%j', (body, fields) => {
    expect(warned(body)).toEqual(fields);
  });

  it('name unknown fields of messages and parts once, whatever their number', () => {
    const part = { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } };
    const message = { role: 'assistant', content: [part, part], reasoning_details: ['hm'] };
    expect(warned({ messages: [message, message] })).toEqual([
      'messages[].reasoning_details',
      'messages[].content[].cache_control',
    ]);
  });

  it('stay few', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field_${index}`, 1]));
    expect(warned(many)).toHaveLength(32);
  });

  it('survive names that every object has', () => {
    expect(warned({ constructor: 1, toString: 2, hasOwnProperty: 3 })).toEqual([
      'constructor',
      'toString',
      'hasOwnProperty',
    ]);
    expect(faultOf({ messages: [{ role: 'user', content: [{ type: 'constructor' }] }] }).reason).toBe('invalid_value');
  });

  it('survive a prototype key', () => {
    const body: unknown = JSON.parse('{"__proto__":{"stream":true},"messages":[{"role":"user","content":"Hi"}]}');
    expect(decodeOpenAiChatRequest(body)).toMatchObject({ stream: false, warnings: [] });
  });
});

describe('messages', () => {
  const decoded = (...list: unknown[]) => decode({ messages: list }).request.messages;

  it('keep their order and roles', () => {
    expect(
      decoded(
        { role: 'system', content: 'one' },
        { role: 'developer', content: [{ type: 'text', text: 'two' }] },
        { role: 'user', content: [] },
        { role: 'user', name: 'Ann', content: 'Hi' },
        { role: 'assistant', content: null },
      ),
    ).toEqual([
      { role: 'system', text: 'one' },
      { role: 'system', text: 'two' },
      { role: 'user', text: '', attachments: [] },
      { role: 'user', text: 'Ann: Hi', attachments: [] },
      { role: 'assistant', text: '', toolCalls: [] },
    ]);
  });

  it.each([
    [['a', 'b'], 'a\nb'],
    [['a\n', 'b'], 'a\nb'],
    [['a', '\nb'], 'a\nb'],
    [['', 'a', '', 'b'], 'a\nb'],
  ])('join the parts %j', (texts, text) => {
    const content = texts.map((part) => ({ type: 'text', text: part }));
    expect(decoded({ role: 'user', content })).toEqual([{ role: 'user', text, attachments: [] }]);
  });

  it('keep calls and results paired', () => {
    expect(
      decoded(
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"q":1}' } },
            { id: 'call_2', type: 'function', function: { name: 'list', arguments: '' } },
            { id: 'call_3', function: { name: 'open', arguments: { path: 'x' } } },
            { id: 'call_4', type: 'custom', custom: { name: 'patch', input: 'text' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '{"r":2}' },
        { role: 'tool', tool_call_id: 'nobody', content: null },
      ),
    ).toEqual([
      {
        role: 'assistant',
        text: '',
        toolCalls: [
          { callId: 'call_1', name: 'find', argumentsText: '{"q":1}' },
          { callId: 'call_2', name: 'list', argumentsText: '{}' },
          { callId: 'call_3', name: 'open', argumentsText: '{"path":"x"}' },
          { callId: 'call_4', name: 'patch', argumentsText: '{"input":"text"}' },
        ],
      },
      { role: 'tool', callId: 'call_1', text: '{"r":2}' },
      { role: 'tool', callId: 'nobody', text: '' },
    ]);
  });

  it('pair legacy calls and results by the name of the function', () => {
    expect(
      decoded(
        { role: 'assistant', content: null, function_call: { name: 'find', arguments: '{}' } },
        { role: 'function', name: 'find', content: 'x' },
      ),
    ).toEqual([
      { role: 'assistant', text: '', toolCalls: [{ callId: 'find', name: 'find', argumentsText: '{}' }] },
      { role: 'tool', callId: 'find', text: 'x' },
    ]);
  });

  it('keep a refusal', () => {
    expect(decoded({ role: 'assistant', content: null, refusal: 'No.' })).toMatchObject([{ text: 'No.' }]);
  });

  it.each([
    [{ role: 'tool', tool_call_id: 'a' }, { callId: 'a' }],
    [{ role: 'function', name: 'a' }, { callId: 'a' }],
    [{ role: 'assistant' }, {}],
  ])('name a picture beside the text of %j as ignored', (message, fields) => {
    const content = [
      { type: 'text', text: 'seen' },
      { type: 'image_url', image_url: { url: 'x' } },
    ];
    const result = decode({ messages: [{ ...message, content }] });
    expect(result.request.messages).toMatchObject([{ text: 'seen', ...fields }]);
    expect(result.warnings).toEqual([{ code: 'ignored-parameter', field: 'messages[].content[].image_url' }]);
  });
});
