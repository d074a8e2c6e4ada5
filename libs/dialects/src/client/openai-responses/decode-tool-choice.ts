import type { ToolChoice } from '@zai2api/turn';
import { invalidValue, required } from '../request/request-fault.ts';
import { isSearch, type DecodedTools } from './decode-tools.ts';
import type { WireNamedTool, WireRequest } from './wire-schema.ts';

/**
 * Which tool is to be called (contract 2.5). Throws, with `tool_choice` as its path, when a call is demanded without tools, of a tool that
 * nobody declared, or of a hosted one that was left out. A demanded search is searched for: that is all that can be said to the upstream.
 */
export function decodeToolChoice(choice: WireRequest['tool_choice'], declared: DecodedTools): ToolChoice {
  if (choice === undefined) return { mode: 'auto' };
  const { tools, webSearch } = declared;
  if (typeof choice === 'string') {
    if (choice !== 'required') return { mode: choice };
    if (webSearch) return { mode: 'auto' };
    if (tools.length === 0) throw invalidValue('tool_choice', 'a call is demanded, but there are no tools.');
    return { mode: choice };
  }
  if (choice.type === 'allowed_tools') {
    const allowed = required(choice.tools, 'tool_choice.tools').flatMap((tool) => findCallable(tool, declared));
    if (allowed.length > 0) return { mode: choice.mode ?? 'auto', tools: [...new Set(allowed)] };
    if (choice.mode === 'required') throw invalidValue('tool_choice', 'a call is demanded, but no tool is allowed.');
    return { mode: 'none' };
  }
  if (isSearch(choice.type) && webSearch) return { mode: 'auto' };
  const named = findCallable(choice, declared);
  if (named.length === 0) {
    throw invalidValue('tool_choice', 'no tool that can be called is of the type that it names.');
  }
  return { mode: 'required', tools: named };
}

/** The names for the model of the tools that this one stands for; none for hosted tools, which lists may name as well. */
function findCallable(tool: WireNamedTool, { names }: DecodedTools): readonly string[] {
  const isCallable = tool.type === 'function' || tool.type === 'custom' || tool.type === 'namespace';
  if (!isCallable) return [];
  const name = required(tool.name, 'tool_choice.name');
  const all = names.allNamed(name);
  const exact = all.filter((modelName) => names.find(modelName)?.namespace === tool.namespace);
  const found = exact.length > 0 || tool.namespace !== undefined ? exact : all;
  if (found.length === 0) throw invalidValue('tool_choice', 'the named tool is not among the declared ones.');
  return found;
}
