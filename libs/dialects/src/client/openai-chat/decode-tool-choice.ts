import type { ToolChoice } from '@zai2api/turn';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { invalidValue, missingParameter, required } from '../request/request-fault.ts';
import type { WireNamedTool, WireRequest } from './wire-schema.ts';

/**
 * Which tool is to be called (contract 1.1): `tool_choice`, else the legacy `function_call`. Throws, with that field as its path, when a
 * call is demanded without tools or a tool is named that nobody declared.
 */
export function decodeToolChoice(
  wire: WireRequest,
  declared: readonly { readonly name: string }[],
  ignored: IgnoredFields,
): ToolChoice {
  const names = new Set(declared.map(({ name }) => name));
  const { tool_choice: choice, function_call: legacy } = wire;
  if (choice === undefined) {
    if (typeof legacy === 'object') return named(legacy.name, names, 'function_call');
    return { mode: legacy ?? 'auto' };
  }
  if (legacy !== undefined) ignored.add('function_call');
  if (typeof choice === 'string') {
    if (choice === 'required') requireTools(names, 'tool_choice');
    return { mode: choice };
  }
  switch (choice.type) {
    case 'function':
    case 'custom':
      return named(nameOf(choice, 'tool_choice'), names, 'tool_choice');
    case 'allowed_tools':
      return allowed(required(choice.allowed_tools, 'tool_choice.allowed_tools'), names);
    default:
      throw invalidValue('tool_choice.type', 'expected one of "function"|"custom"|"allowed_tools".');
  }
}

function named(name: string, names: ReadonlySet<string>, param: string): ToolChoice {
  requireTools(names, param);
  requireDeclared(name, names, param);
  return { mode: 'required', tools: [name] };
}

function allowed(
  choice: { readonly mode: 'auto' | 'required'; readonly tools: readonly WireNamedTool[] },
  names: ReadonlySet<string>,
): ToolChoice {
  // The list may hold tools of types that were dropped from the declared ones too.
  const tools = choice.tools.flatMap((tool, index) =>
    tool.type === 'function' || tool.type === 'custom'
      ? [nameOf(tool, `tool_choice.allowed_tools.tools[${index}]`)]
      : [],
  );
  for (const name of tools) requireDeclared(name, names, 'tool_choice');
  if (tools.length > 0) return { mode: choice.mode, tools: [...new Set(tools)] };
  if (choice.mode === 'required') throw invalidValue('tool_choice', 'a call is demanded, but no tool is allowed.');
  return { mode: 'none' };
}

function nameOf(tool: WireNamedTool, path: string): string {
  const name = tool.type === 'custom' ? tool.custom?.name : tool.function?.name;
  if (name === undefined) throw missingParameter(`${path}.${tool.type}`);
  return name;
}

function requireTools(names: ReadonlySet<string>, param: string): void {
  if (names.size === 0) throw invalidValue(param, 'a call is demanded, but there are no tools that can be called.');
}

function requireDeclared(name: string, names: ReadonlySet<string>, param: string): void {
  if (!names.has(name)) throw invalidValue(param, 'the named tool is not among the declared ones.');
}
