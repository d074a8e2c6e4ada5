import { describe, expect, it } from '@jest/globals';
import { decodeOpenAiChatRequest } from './decode-request.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const decode = (body: object) => decodeOpenAiChatRequest({ model: 'glm-5', messages, ...body });
const warned = (body: object) => decode(body).warnings.map(({ field }) => field);
const fault = (param: string, reason: string) =>
  expect.objectContaining({
    code: 'invalid_request',
    details: { layer: 'client', param, reason },
  }) as unknown as Error;

const parameters = { type: 'object', properties: { q: { type: 'string' } } };
const find = { type: 'function', function: { name: 'find', description: 'Finds.', parameters, strict: true } };

describe('tools', () => {
  it('are definitions, in order', () => {
    const tools = [find, { type: 'function', function: { name: 'list', description: null, parameters: null } }];
    const decoded = decode({ tools });
    expect(decoded.request.tools).toEqual([
      { name: 'find', description: 'Finds.', parameters, strict: true, param: 'tools[0].function.parameters' },
      { name: 'list', description: undefined, parameters: {}, strict: false, param: 'tools[1].function.parameters' },
    ]);
    expect(decoded.warnings).toEqual([]);
    expect(decoded.form.legacyFunctions).toBe(false);
  });

  it('take free text as one string', () => {
    const decoded = decode({
      tools: [{ type: 'custom', custom: { name: 'patch', description: 'Patches.', format: { type: 'text' } } }],
    });
    expect(decoded.request.tools).toEqual([
      {
        name: 'patch',
        description: 'Patches.',
        parameters: {
          type: 'object',
          properties: { input: { type: 'string' } },
          required: ['input'],
          additionalProperties: false,
        },
        strict: false,
      },
    ]);
    expect(decoded.warnings).toEqual([]);
  });

  it.each<[object, string[]]>([
    [{ tools: [{ type: 'code_interpreter' }, { type: 'code_interpreter' }] }, ['tools[].code_interpreter']],
    [{ tools: [{ type: 'a b\r\nc' }, find] }, ['tools[].a_b__c']],
    [{ tools: [{ ...find, cache_control: { type: 'ephemeral' } }] }, ['tools[].cache_control']],
    [{ tools: [{ type: 'function', function: { name: 'f', returns: 'x' } }] }, ['tools[].function.returns']],
    [{ tools: [{ type: 'custom', custom: { name: 'f', format: { type: 'grammar' } } }] }, ['tools[].custom.format']],
    [{ tools: [{ type: 'web_search', search_context_size: 'low' }] }, ['tools[].search_context_size']],
    [{ tools: [{ type: 'web_search', web_search: { enable: true, count: 5 } }] }, ['tools[].web_search.count']],
    [{ functions: [{ name: 'f', strict: true, returns: 'x' }] }, ['functions[].returns']],
  ])('%j has parts without effect', (body, fields) => {
    expect(warned(body)).toEqual(fields);
  });

  it('of unknown types are dropped', () => {
    expect(decode({ tools: [{ type: 'mcp', function: { name: 'f' } }] }).request.tools).toEqual([]);
  });

  it('may be declared as functions, which have their own answer', () => {
    const decoded = decode({ functions: [{ name: 'find', parameters }], tools: [] });
    expect(decoded.request).toMatchObject({
      tools: [{ name: 'find', parameters, strict: false }],
      parallelToolCalls: false,
    });
    expect(decoded.form.legacyFunctions).toBe(true);
    expect(decoded.warnings).toEqual([]);
  });

  it.each<[object, string, string]>([
    [{ tools: [{ type: 'function' }] }, 'tools[0].function', 'missing_required_parameter'],
    [{ tools: [{ type: 'custom' }] }, 'tools[0].custom', 'missing_required_parameter'],
    [{ tools: [{}] }, 'tools[0].type', 'missing_required_parameter'],
    [{ tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name', 'missing_required_parameter'],
    [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, 'tools[0].function.name', 'invalid_value'],
    [{ tools: [{ type: 'function', function: { name: 'a'.repeat(65) } }] }, 'tools[0].function.name', 'invalid_value'],
    [{ tools: [{ type: 'custom', custom: { name: '' } }] }, 'tools[0].custom.name', 'invalid_value'],
    [
      { tools: [{ type: 'function', function: { name: 'f', parameters: [] } }] },
      'tools[0].function.parameters',
      'invalid_type',
    ],
    [{ tools: [find, find] }, 'tools[1].function.name', 'invalid_value'],
    [{ tools: [find, { type: 'custom', custom: { name: 'find' } }] }, 'tools[1].custom.name', 'invalid_value'],
    [{ functions: [{ name: 'f' }, { name: 'f' }] }, 'functions[1].name', 'invalid_value'],
    [{ functions: [{ name: 'f' }], tools: [find] }, 'functions', 'invalid_value'],
    [{ tools: Array.from({ length: 129 }, () => find) }, 'tools', 'invalid_value'],
  ])('%j is refused at %s', (body, param, reason) => {
    expect(() => decode(body)).toThrow(fault(param, reason));
  });

  it.each<[object, boolean]>([
    [{}, true],
    [{ parallel_tool_calls: null }, true],
    [{ parallel_tool_calls: true }, true],
    [{ parallel_tool_calls: false }, false],
  ])('%j', (body, parallel) => {
    expect(decode({ tools: [find], ...body }).request.parallelToolCalls).toBe(parallel);
  });
});

describe('web search', () => {
  it.each<[object, true | undefined]>([
    [{}, undefined],
    [{ web_search_options: {} }, true],
    [{ tools: [{ type: 'web_search' }] }, true],
    [{ tools: [{ type: 'web_search_preview' }, find] }, true],
    [{ tools: [{ type: 'web_search', web_search: { enable: false } }] }, undefined],
    [{ tools: [{ type: 'function', function: { name: 'web_search' } }] }, undefined],
  ])('%j', (body, expected) => {
    expect(decode(body).request.webSearch).toBe(expected);
    expect(warned(body)).toEqual([]);
  });
});
