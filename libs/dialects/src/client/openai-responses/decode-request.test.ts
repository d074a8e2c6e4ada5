import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import type { ClientCodecContext } from '../client-dialect.ts';
import { storeItems } from './continue-conversation.ts';
import { readResponseRequest, type FoundItems } from './decode-request.ts';

const context: ClientCodecContext = {
  now: () => 1_764_000_000_000,
  newId: () => 'id',
  seal: (text) => `sealed.${text}`,
  unseal: (sealed) => (sealed.startsWith('sealed.') ? sealed.slice('sealed.'.length) : undefined),
};
const nothing: FoundItems = { items: new Map() };
const decode = (body: Record<string, unknown>, found = nothing) =>
  readResponseRequest({ model: 'glm-5', input: 'Hi', ...body }).decode(context, found);
const warned = (body: Record<string, unknown>) => decode(body).warnings.map(({ field }) => field);
const user = (text: string) => ({ role: 'user', text, attachments: [] });

function faultOf(body: unknown): { code: string; param: string | undefined; reason: string | undefined } {
  try {
    readResponseRequest(body).decode(context, nothing);
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    expect(error.details.layer).toBe('client');
    return { code: error.code, param: error.details.param, reason: error.details.reason };
  }
  throw new Error('The body was accepted.');
}

describe('a faulty request', () => {
  const missing = 'missing_required_parameter';
  const item = (fields: object) => ({ input: [fields] });
  const part = (fields: object) => item({ role: 'user', content: [fields] });
  const tool = (fields: object) => ({ tools: [fields] });

  it.each<[Record<string, unknown>, string, string]>([
    [{ input: undefined }, 'input', missing],
    [{ input: [] }, 'input', 'invalid_value'],
    [{ input: 5 }, 'input', 'invalid_type'],
    [{ input: ['Hi'] }, 'input[0]', 'invalid_type'],
    [item({}), 'input[0].role', missing],
    [item({ role: 'robot', content: 'x' }), 'input[0].role', 'invalid_value'],
    [item({ role: 'user' }), 'input[0].content', missing],
    [item({ role: 'user', content: 5 }), 'input[0].content', 'invalid_type'],
    [item({ type: 'function_call', name: 'f', arguments: '{}' }), 'input[0].call_id', missing],
    [item({ type: 'function_call', call_id: 'a' }), 'input[0].name', missing],
    [item({ type: 'function_call_output', output: 'x' }), 'input[0].call_id', missing],
    [item({ type: 'item_reference', id: 'msg_1' }), 'input', 'item_not_found'],
    [item({ id: 'msg_1' }), 'input', 'item_not_found'],
    [part({ type: 'input_text' }), 'input[0].content[0].text', missing],
    [part({ type: 'hologram' }), 'input[0].content[0].type', 'invalid_value'],
    [part({ type: 'input_image' }), 'input[0].content[0].image_url', missing],
    [part({ type: 'input_image', image_url: 'ftp://x' }), 'input[0].content[0]', 'invalid_image_url'],
    [part({ type: 'input_file', filename: 'a.pdf' }), 'input[0].content[0].file_data', missing],
    [
      item({ role: 'developer', content: [{ type: 'input_image', image_url: 'https://x.y' }] }),
      'input[0].content[0].type',
      'invalid_value',
    ],
    [{ model: 5 }, 'model', 'invalid_type'],
    [{ temperature: 3 }, 'temperature', 'invalid_value'],
    [{ top_p: -1 }, 'top_p', 'invalid_value'],
    [{ max_output_tokens: 0 }, 'max_output_tokens', 'invalid_value'],
    [{ reasoning: { effort: 'huge' } }, 'reasoning.effort', 'invalid_value'],
    [{ truncation: 'middle' }, 'truncation', 'invalid_value'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type', 'invalid_value'],
    [{ text: { format: { type: 'json_schema', schema: {} } } }, 'text.format.name', missing],
    [{ text: { format: { type: 'json_schema', name: 'a' } } }, 'text.format.schema', missing],
    [
      { text: { format: { type: 'json_schema', name: 'a', schema: { type: 'array' } } } },
      'text.format.schema',
      'invalid_json_schema',
    ],
    [tool({ name: 'f' }), 'tools[0].type', missing],
    [tool({ type: 'function' }), 'tools[0].name', missing],
    [tool({ type: 'function', name: 'a b' }), 'tools[0].name', 'invalid_value'],
    [tool({ type: 'namespace', name: 'n', tools: [{ type: 'function' }] }), 'tools[0].tools[0].name', missing],
    [
      {
        tools: [
          { type: 'function', name: 'f' },
          { type: 'custom', name: 'f' },
        ],
      },
      'tools[1].name',
      'invalid_value',
    ],
    [{ tool_choice: 'required' }, 'tool_choice', 'invalid_value'],
    [{ tool_choice: { type: 'function', name: 'f' } }, 'tool_choice', 'invalid_value'],
    [{ tool_choice: { type: 'file_search' }, tools: [{ type: 'file_search' }] }, 'tool_choice', 'invalid_value'],
    [
      { tool_choice: { type: 'web_search' }, tools: [{ type: 'web_search' }, { type: 'function', name: 'f' }] },
      'tool_choice',
      'invalid_value',
    ],
    [
      { tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'mcp' }] } },
      'tool_choice',
      'invalid_value',
    ],
    [{ background: true, store: false }, 'background', 'invalid_value'],
  ])('%j is refused at %s', (fields, param, reason) => {
    expect(faultOf({ model: 'glm-5', input: 'Hi', ...fields })).toEqual({ code: 'invalid_request', param, reason });
  });

  it.each([
    [{ prompt: { id: 'p' } }, 'prompt'],
    [{ conversation: 'conv_1' }, 'conversation'],
    [{ top_logprobs: 2 }, 'top_logprobs'],
  ])('%j cannot be given', (fields, param) => {
    expect(faultOf({ input: 'Hi', ...fields })).toEqual({
      code: 'unsupported',
      param,
      reason: 'unsupported_parameter',
    });
  });

  it.each(['input_audio', 'input_file', 'input_image'])('a %s of the provider’s own cannot be given', (type) => {
    const { code, param } = faultOf({ input: [{ role: 'user', content: [{ type, file_id: 'file_1' }] }] });
    expect([code, param]).toEqual(['unsupported', 'input[0].content[0]']);
  });

  it('R10: goes on from a response that nobody keeps', () => {
    expect(faultOf({ input: 'Hi', previous_response_id: 'resp_x' })).toEqual({
      code: 'invalid_request',
      param: 'previous_response_id',
      reason: 'previous_response_not_found',
    });
  });
});

describe('a request', () => {
  it('R17: may hold what nobody here knows', () => {
    expect(
      warned({
        client_metadata: { a: 1 },
        context_management: [{ type: 'compaction' }],
        include: ['web_search_call.results'],
        tools: [{ type: 'tool_search' }, { type: 'mcp', server_label: 'x' }, { type: 'hologram' }],
      }),
    ).toEqual([
      'include',
      'client_metadata',
      'context_management',
      'tools[].tool_search',
      'tools[].mcp',
      'tools[].hologram',
    ]);
  });

  it('searches only when the model has no tools of its own', () => {
    const search = { type: 'web_search' };
    expect(decode({ tools: [search] }).request.webSearch).toBe(true);
    expect(decode({ tools: [search], tool_choice: { type: 'web_search' } }).request).toMatchObject({
      webSearch: true,
      toolChoice: { mode: 'auto' },
    });
    const both = decode({ tools: [search, { type: 'function', name: 'f' }] });
    expect(both.request.webSearch).toBeUndefined();
    expect(both.warnings.map(({ field }) => field)).toEqual(['tools[].web_search']);
  });

  it.each([
    [{ type: 'object', properties: { a: {} }, required: ['a'], additionalProperties: false }, true],
    [{ type: 'object', properties: { a: {} }, required: [], additionalProperties: false }, false],
    [{ type: 'object', properties: { a: {} }, required: ['a'] }, false],
    [
      {
        type: 'object',
        properties: { a: { type: 'array', items: { type: 'object', properties: { b: {} } } } },
        required: ['a'],
        additionalProperties: false,
      },
      false,
    ],
    [undefined, false],
  ])('means a schema %j strictly: %p', (parameters, strict) => {
    const tools = [{ type: 'function', name: 'f', parameters }];
    expect(decode({ tools }).request.tools[0]?.strict).toBe(strict);
  });

  it('means a large schema strictly without looking through all of its words for each', () => {
    // Takes minutes otherwise.
    const names = Array.from({ length: 300_000 }, (_, index) => `p${index}`);
    const properties = Object.fromEntries(names.map((name) => [name, {}]));
    const parameters = { type: 'object', additionalProperties: false, properties, required: names };
    expect(decode({ tools: [{ type: 'function', name: 'f', parameters }] }).request.tools[0]?.strict).toBe(true);
  });

  it('reads many pieces of thought at once', () => {
    // Takes minutes otherwise.
    const thought = 't'.repeat(1_000);
    const piece = { type: 'reasoning', summary: [], encrypted_content: `sealed.${thought}` };
    const input = [{ role: 'user', content: 'Hi' }, ...Array.from({ length: 20_000 }, () => piece)];
    const call = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' };
    const [, said] = decode({ input: [...input, call] }).request.messages;
    const reasoning = said?.role === 'assistant' ? said.reasoning : undefined;
    // Compared by identity: a difference of megabytes is nothing to print.
    expect(reasoning === Array<string>(20_000).fill(thought).join('\n')).toBe(true);
  });

  it('takes 512 tools, and no more, wherever they are declared', () => {
    const many = (count: number, prefix = 'f') =>
      Array.from({ length: count }, (_, index) => ({ type: 'function', name: `${prefix}${index}` }));
    const space = (name: string) => ({ type: 'namespace', name, tools: many(256) });
    const tooMany = { code: 'invalid_request', param: 'tools', reason: 'invalid_value' };
    const later = (prefix: string) => ({ type: 'additional_tools', role: 'developer', tools: many(500, prefix) });
    const asked = { role: 'user', content: 'Hi' };
    expect(decode({ tools: many(512) }).request.tools).toHaveLength(512);
    expect(decode({ tools: [space('a'), space('b')] }).request.tools).toHaveLength(512);
    expect(faultOf({ input: 'Hi', tools: many(513) })).toEqual(tooMany);
    expect(faultOf({ input: 'Hi', tools: [space('a'), space('b'), ...many(1)] })).toEqual(tooMany);
    // Each turn of a conversation may declare them again.
    expect(decode({ input: [later('f'), asked, later('f'), asked] }).request.tools).toHaveLength(500);
    expect(faultOf({ input: [later('f'), asked, later('g'), asked] })).toEqual(tooMany);
  });

  it('lets a tool be declared again with the input, the last time counts', () => {
    const declared = (description: string) => ({ type: 'function', name: 'f', description });
    const { request } = decode({
      tools: [declared('first')],
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'additional_tools', role: 'developer', tools: [declared('second')] },
      ],
    });
    expect(request.tools.map(({ name, description }) => [name, description])).toEqual([['f', 'second']]);
  });

  it('R08: drops a foreign thought quietly', () => {
    const { request, warnings } = decode({
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'x' }], encrypted_content: 'gAAA' },
        { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      ],
    });
    expect(request.messages[1]).toEqual({
      role: 'assistant',
      text: '',
      toolCalls: [{ callId: 'a', name: 'f', argumentsText: '{}' }],
    });
    expect(warnings).toEqual([]);
  });

  it('R16: takes pictures that a tool shows', () => {
    const image_url = 'data:image/png;base64,aGVsbG8=';
    const { request } = decode({
      input: [{ type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url }] }],
    });
    expect(request.messages).toEqual([
      {
        role: 'tool',
        callId: 'a',
        text: '',
        attachments: [
          {
            kind: 'image',
            source: { type: 'data', mediaType: 'image/png', base64: 'aGVsbG8=' },
            param: 'input[0].output[0]',
          },
        ],
      },
    ]);
  });
});

describe('a conversation that goes on', () => {
  const input = storeItems(
    [
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Yes?' },
      { role: 'user', content: [{ type: 'input_text', text: 'Two' }] },
    ],
    'resp_old',
    0,
  );
  const thought = { id: 'rs_old_0', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] };
  const call = { id: 'fc_old_1', type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' };
  const previous = { input, output: [thought, call] };
  const body = {
    previous_response_id: 'resp_old',
    instructions: 'New.',
    input: [{ type: 'function_call_output', call_id: 'a', output: 'x' }],
  };

  it('R09: is what was said before and what is new, with today’s instructions alone', () => {
    const { request, conversation } = decode(body, { ...nothing, previous });
    expect(request.messages).toEqual([
      { role: 'system', text: 'New.' },
      user('One'),
      { role: 'assistant', text: 'Yes?', toolCalls: [] },
      user('Two'),
      // Our own thoughts are trusted.
      {
        role: 'assistant',
        text: '',
        toolCalls: [{ callId: 'a', name: 'f', argumentsText: '{}' }],
        reasoning: 'Hm.',
      },
      { role: 'tool', callId: 'a', text: 'x' },
    ]);
    expect(conversation.map(({ id }) => id)).toEqual([
      'msg_old_in0',
      'msg_old_in1',
      'msg_old_in2',
      'rs_old_0',
      'fc_old_1',
      'fco_id_in5',
    ]);
  });

  it('names the place of a fault in what is new', () => {
    const asked = readResponseRequest({ ...body, input: [{ role: 'user', content: [{ type: 'x' }] }] });
    expect(() => asked.decode(context, { ...nothing, previous })).toThrow(/input\[0\]\.content\[0\]\.type/);
  });

  it('R24: may be told by references', () => {
    const items = new Map([[call.id, call]]);
    const asked = readResponseRequest({
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'item_reference', id: call.id },
        { type: 'function_call_output', call_id: 'a', output: 'x' },
      ],
    });
    expect(asked.referencedItemIds).toEqual([call.id]);
    expect(asked.decode(context, { items }).request.messages[1]).toMatchObject({ toolCalls: [{ callId: 'a' }] });
    expect(() => asked.decode(context, nothing)).toThrow("Item with id 'fc_old_1' not found.");
  });

  it('is listed with ids and parts', () => {
    expect(input[1]).toEqual({
      id: 'msg_old_in1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Yes?', annotations: [], logprobs: [] }],
    });
  });
});
