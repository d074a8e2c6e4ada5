import { describe, expect, it } from '@jest/globals';
import type { ToolChoice } from '@zai2api/turn';
import { decodeOpenAiChatRequest } from './decode-request.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const tools = ['find', 'list', 'open'].map((name) => ({ type: 'function', function: { name } }));
const patch = { type: 'custom', custom: { name: 'patch' } };
const functions = [{ name: 'find' }, { name: 'list' }];
const decode = (body: object) => decodeOpenAiChatRequest({ model: 'glm-5', messages, ...body });
const allow = (mode: string, ...list: object[]) => ({
  tools: [...tools, patch],
  tool_choice: { type: 'allowed_tools', allowed_tools: { mode, tools: list } },
});

describe('the choice of a tool', () => {
  it.each<[object, ToolChoice]>([
    [{}, { mode: 'auto' }],
    [{ tool_choice: 'auto' }, { mode: 'auto' }],
    [{ tool_choice: 'none' }, { mode: 'none' }],
    [{ tools, tool_choice: 'none' }, { mode: 'none' }],
    [{ tools, tool_choice: 'auto' }, { mode: 'auto' }],
    [{ tools, tool_choice: 'required' }, { mode: 'required' }],
    [
      { tools, tool_choice: tools[1] },
      { mode: 'required', tools: ['list'] },
    ],
    [
      { tools: [patch], tool_choice: patch },
      { mode: 'required', tools: ['patch'] },
    ],
    [allow('auto', tools[0]!, patch, tools[0]!), { mode: 'auto', tools: ['find', 'patch'] }],
    [allow('required', { type: 'mcp', server_label: 'x' }, tools[2]!), { mode: 'required', tools: ['open'] }],
    [allow('auto'), { mode: 'none' }],
    [{ functions }, { mode: 'auto' }],
    [{ functions, function_call: 'none' }, { mode: 'none' }],
    [
      { functions, function_call: { name: 'list' } },
      { mode: 'required', tools: ['list'] },
    ],
  ])('%j', (body, expected) => {
    const { request, warnings } = decode(body);
    expect(request.toolChoice).toEqual(expected);
    expect(warnings).toEqual([]);
  });

  it('is the one of today when there are two', () => {
    const { request, warnings } = decode({ tools, tool_choice: 'required', function_call: 'none' });
    expect(request.toolChoice).toEqual({ mode: 'required' });
    expect(warnings).toEqual([{ code: 'ignored-parameter', field: 'function_call' }]);
  });

  const missing = 'missing_required_parameter';
  const invalid = 'invalid_value';
  it.each<[object, string, string]>([
    [{ tool_choice: 'required' }, 'tool_choice', invalid],
    [{ tools: [{ type: 'web_search' }], tool_choice: 'required' }, 'tool_choice', invalid],
    [{ tool_choice: tools[0] }, 'tool_choice', invalid],
    [{ function_call: { name: 'find' } }, 'function_call', invalid],
    [{ functions, function_call: { name: 'open' } }, 'function_call', invalid],
    [{ tools, tool_choice: { type: 'function', function: { name: 'close' } } }, 'tool_choice', invalid],
    [{ tools, tool_choice: patch }, 'tool_choice', invalid],
    [allow('auto', { type: 'function', function: { name: 'close' } }), 'tool_choice', invalid],
    [allow('required'), 'tool_choice', invalid],
    [allow('required', { type: 'mcp' }), 'tool_choice', invalid],
    [allow('none', tools[0]!), 'tool_choice.allowed_tools.mode', invalid],
    [allow('auto', { type: 'custom' }), 'tool_choice.allowed_tools.tools[0].custom', missing],
    [{ tools, tool_choice: { type: 'allowed_tools' } }, 'tool_choice.allowed_tools', missing],
    [
      { tools, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto' } } },
      'tool_choice.allowed_tools.tools',
      missing,
    ],
    [{ tools, tool_choice: { type: 'function' } }, 'tool_choice.function', missing],
    [{ tools, tool_choice: { type: 'function', function: {} } }, 'tool_choice.function.name', missing],
    [{ tools, tool_choice: { type: 'any' } }, 'tool_choice.type', invalid],
    [{ tools, tool_choice: {} }, 'tool_choice.type', missing],
  ])('%j is refused at %s', (body, param, reason) => {
    expect(() => decode(body)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: { layer: 'client', param, reason },
      }),
    );
  });

  it('does not repeat the name it did not find', () => {
    const body = { tools, tool_choice: { type: 'function', function: { name: 'sk-secret' } } };
    expect(() => decode(body)).toThrow(/^(?!.*sk-secret)/);
  });
});
