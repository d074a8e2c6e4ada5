import { describe, expect, it } from '@jest/globals';
import type { TurnAttachment, TurnMessage, TurnRequest } from '@zai2api/turn';
import { encodeCompletion, limitedFields, type PlatformCompletionInput } from './encode-completion.ts';

const profile = { base: 'https://api.example/v4', language: 'en-US' };
const user = (text: string, attachments: readonly TurnAttachment[] = []): TurnMessage => ({
  role: 'user',
  text,
  attachments,
});
const tool = (name: string) => ({ name, parameters: {}, strict: false });
const request = (fields: Partial<TurnRequest> = {}): TurnRequest => ({
  model: 'm',
  messages: [user('hi')],
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { stop: [] },
  ...fields,
});

interface Body {
  readonly messages: readonly { role: string; content: unknown }[];
  readonly tools?: readonly unknown[];
  readonly [field: string]: unknown;
}

function encode(fields: Partial<TurnRequest> = {}, input: Partial<PlatformCompletionInput> = {}): Body {
  const { body = '' } = encodeCompletion({
    profile,
    key: 'k',
    request: request(fields),
    files: [],
    upstreamModel: 'glm-4.7',
    thinking: true,
    search: false,
    requestId: 'request-1',
    ...input,
  });
  return JSON.parse(body) as Body;
}

const image = (param: string): TurnAttachment => ({
  kind: 'image',
  source: { type: 'data', mediaType: 'image/png', base64: '' },
  param,
});
const document: TurnAttachment = { ...image('d'), kind: 'document' };

describe('a completion', () => {
  it('says no more than it was asked for', () => {
    expect(encode()).toEqual({
      model: 'glm-4.7',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      request_id: 'request-1',
      thinking: { type: 'enabled' },
    });
  });

  it.each([
    [
      { temperature: 0.3, topP: 0.5 },
      { temperature: 0.3, top_p: 0.5 },
    ],
    [
      { temperature: 2, topP: 0 },
      { temperature: 1, top_p: 0.01 },
    ],
    [{ temperature: 0, topP: 0.5 }, { do_sample: false }],
    [{ maxOutputTokens: 1_000_000 }, { max_tokens: 131_072 }],
    [{ maxOutputTokens: 0 }, { max_tokens: 1 }],
    // Stop words stay with us.
    [{ stop: ['x', 'y'] }, {}],
  ])('samples %j as %j', (sampling, expected) => {
    const {
      model: _m,
      messages: _n,
      stream: _s,
      request_id: _r,
      thinking: _t,
      ...rest
    } = encode({
      sampling: { stop: [], ...sampling },
    });
    expect(rest).toEqual(expected);
  });

  it('names what it had to bring into range', () => {
    const limited = (sampling: Partial<TurnRequest['sampling']>, model = 'glm-4.7'): string[] =>
      limitedFields(request({ sampling: { stop: [], ...sampling } }), model);
    expect(limited({ temperature: 1.5, topP: 0 })).toEqual(['temperature', 'top_p']);
    expect(limited({ temperature: 0, topP: 1, maxOutputTokens: 131_072 })).toEqual([]);
    expect(limited({ maxOutputTokens: 131_073 })).toEqual(['max_tokens']);
    expect(limited({ maxOutputTokens: 131_072 }, 'glm-4.5')).toEqual(['max_tokens']);
  });
});

describe('messages', () => {
  it('always have somebody to answer', () => {
    const system: TurnMessage = { role: 'system', text: 'Be brief.' };
    const assistant: TurnMessage = { role: 'assistant', text: 'Well', toolCalls: [] };
    expect(encode({ messages: [system] }).messages).toEqual([{ role: 'user', content: 'Be brief.' }]);
    expect(encode({ messages: [system, assistant] }).messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(encode({ messages: [assistant] }).messages).toEqual([
      { role: 'assistant', content: 'Well' },
      { role: 'user', content: 'Continue.' },
    ]);
  });

  it('bring earlier thoughts along, while the model thinks', () => {
    const messages: TurnMessage[] = [
      user('hi'),
      { role: 'assistant', text: 'Hello', toolCalls: [], reasoning: 'A greeting.' },
      user('again'),
    ];
    const thinks = encode({ messages });
    expect(thinks.messages[1]).toEqual({ role: 'assistant', content: 'Hello', reasoning_content: 'A greeting.' });
    expect(thinks['thinking']).toEqual({ type: 'enabled', clear_thinking: false });
    const silent = encode({ messages }, { thinking: false });
    expect(silent.messages[1]).toEqual({ role: 'assistant', content: 'Hello' });
    expect(silent['thinking']).toEqual({ type: 'disabled' });
  });

  it('leave out an assistant that said nothing', () => {
    expect(
      encode({ messages: [user('a'), { role: 'assistant', text: '', toolCalls: [] }, user('b')] }).messages,
    ).toHaveLength(2);
  });

  it('carry files as parts to vision models, and tell them of tools in words', () => {
    const messages: TurnMessage[] = [
      user('Look', [image('a')]),
      { role: 'assistant', text: '', toolCalls: [{ callId: 'c', name: 'zoom', argumentsText: '{}' }] },
      { role: 'tool', callId: 'c', text: 'closer', attachments: [image('b')] },
    ];
    const files = ['one', 'two'].map((name) => ({ kind: 'image' as const, dataUrl: `data:${name}`, filename: name }));
    const encoded = encode({ messages, tools: [tool('zoom')] }, { upstreamModel: 'glm-4.6v', files });
    expect(encoded.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:one' } },
        ],
      },
      { role: 'assistant', content: 'I used zoom with {}.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: '<result>\nThe result of zoom with {}:\ncloser\n</result>' },
          { type: 'image_url', image_url: { url: 'data:two' } },
        ],
      },
    ]);
    expect(encoded.tools).toHaveLength(1);
    expect(encoded['tool_stream']).toBeUndefined();
  });

  it('refuse files that the model does not take', () => {
    const fault = (fields: Partial<TurnRequest>, upstreamModel: string): unknown => {
      try {
        encode(fields, { upstreamModel });
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(fault({ messages: [user('x', [document])] }, 'glm-4.7')).toMatchObject({
      code: 'unsupported',
      details: { param: 'd', reason: 'file_input_not_supported' },
    });
    expect(fault({ messages: [user('x', [image('i')])] }, 'glm-4.7')).toMatchObject({
      details: { param: 'i', reason: 'image_input_not_supported' },
    });
    expect(fault({ messages: [user('x', [image('i')]), user('y', [document])] }, 'glm-4.6v')).toMatchObject({
      details: { param: 'd', reason: 'file_input_not_supported' },
    });
    expect(fault({ messages: [user('x', [document])] }, 'glm-4.6v')).toBeUndefined();
  });
});

describe('tools', () => {
  const tools = [tool('a'), tool('b')];
  const names = (body: Body): unknown[] =>
    (body.tools ?? []).map((each) => (each as { function?: { name: string } }).function?.name ?? each);
  const lastText = (body: Body): unknown => body.messages.at(-1)?.content;

  it('are offered as the choice allows', () => {
    expect(names(encode({ tools }))).toEqual(['a', 'b']);
    expect(encode({ tools })['tool_stream']).toBe(true);
    expect(encode({ tools }, { upstreamModel: 'glm-4.5' })['tool_stream']).toBeUndefined();
    expect(encode({ tools, toolChoice: { mode: 'none' } }).tools).toBeUndefined();
    expect(names(encode({ tools, toolChoice: { mode: 'auto', tools: ['b'] } }))).toEqual(['b']);
  });

  it('are demanded in words, as the API takes no other choice', () => {
    expect(lastText(encode({ tools }))).toBe('hi');
    expect(lastText(encode({ tools, toolChoice: { mode: 'required' } }))).toMatch(
      /^hi\n\n.*call at least one of the tools/,
    );
    expect(lastText(encode({ tools, toolChoice: { mode: 'required', tools: ['b'] } }))).toMatch(/call the tool b\./);
    expect(lastText(encode({ tools, parallelToolCalls: false }))).toMatch(/one tool at most/);
    expect(encode({ tools, toolChoice: { mode: 'required' } })['tool_choice']).toBeUndefined();
    const afterResult = encode({
      tools,
      toolChoice: { mode: 'required' },
      messages: [
        user('x'),
        { role: 'assistant', text: '', toolCalls: [{ callId: 'c', name: 'a', argumentsText: '' }] },
        { role: 'tool', callId: 'c', text: 'r' },
      ],
    });
    expect(afterResult.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user']);
  });

  it('stand beside the search of the site', () => {
    const search = encode({ tools: [tool('a')] }, { search: true });
    expect(names(search)).toEqual(['a', expect.objectContaining({ type: 'web_search' })]);
    expect(encode({}, { search: true })['tool_stream']).toBeUndefined();
    expect(encode({}, { search: true, upstreamModel: 'glm-4.6v' }).tools).toBeUndefined();
  });

  it('are no more than the API takes', () => {
    const many = Array.from({ length: 129 }, (_, index) => tool(`t${index}`));
    expect(() => encode({ tools: many })).toThrow('128 tools at most');
    expect(names(encode({ tools: many.slice(1) }))).toHaveLength(128);
  });
});

describe('JSON answers', () => {
  const schema = { type: 'object' };
  const format = { type: 'json-schema', name: 'thing', schema, strict: true } as const;

  it('are asked for by the parameter and in words', () => {
    const body = encode({ responseFormat: format });
    expect(body['response_format']).toEqual({ type: 'json_object' });
    expect(body.messages.at(-1)?.content).toContain('JSON Schema (thing)');
    expect(encode({ responseFormat: { type: 'json-object' } })['response_format']).toEqual({ type: 'json_object' });
  });

  it('are asked for in words alone where the parameter is not taken or might forbid a call', () => {
    expect(encode({ responseFormat: format }, { upstreamModel: 'glm-4.6v' })['response_format']).toBeUndefined();
    const body = encode({ responseFormat: format, tools: [tool('a')] });
    expect(body['response_format']).toBeUndefined();
    expect(body.messages.at(-1)?.content).toContain('Unless you call a tool');
  });
});
