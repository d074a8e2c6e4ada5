import type { ToolDefinition } from '@zai2api/turn';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { parsePart } from '../request/parse-body.ts';
import { invalidValue } from '../request/request-fault.ts';
import { assertToolCount } from '../request/tool-count.ts';
import { customToolSchema, type WireTool } from './wire-schema.ts';

/** What a conversation says about its tools on the way: one is found or taken away, or comes along. */
export type ToolChange =
  | { readonly type: 'show'; readonly name: string }
  | { readonly type: 'hide'; readonly name: string }
  | { readonly type: 'declare'; readonly tool: WireTool; readonly path: string };

/** What the tools of a request ask for. */
export interface DecodedTools {
  /** Those that the model may see. */
  readonly tools: readonly ToolDefinition[];
  /** True when a web search tool is among them; otherwise they say nothing about search. */
  readonly webSearch: true | undefined;
  /** Names of tools that were declared and cannot be called: deferred ones, and those that the API itself would run. */
  readonly uncallable: ReadonlySet<string>;
}

interface DeclaredTool {
  readonly definition: ToolDefinition;
  readonly isDeferred: boolean;
}

/**
 * Tools that the client runs, as definitions (contract 3.2). Deferred ones are hidden until the conversation finds them; tools that the API
 * itself would run are named as ignored, but for web search. Throws when two tools share a name, and when the model would see too many.
 */
export function decodeTools(
  declared: readonly WireTool[],
  changes: readonly ToolChange[],
  ignored: IgnoredFields,
): DecodedTools {
  const known = new Map<string, DeclaredTool>();
  const uncallable = new Set<string>();
  let webSearch: true | undefined;

  function declare(tool: WireTool, path: string, mayReplace: boolean): void {
    const { type } = tool;
    if (type !== undefined && type !== 'custom') {
      if (type.startsWith('web_search')) webSearch = true;
      else ignored.addUnlessDefault(type, true, 'tools[].');
      if (tool.name !== undefined) uncallable.add(tool.name);
      return;
    }
    const definition = decodeTool(tool, path, ignored);
    const { name } = definition;
    if (known.has(name) && !mayReplace) throw invalidValue(`${path}.name`, 'another tool has the same name.');
    known.set(name, { definition, isDeferred: tool.defer_loading ?? false });
  }

  for (const [index, tool] of declared.entries()) declare(tool, `tools[${index}]`, false);
  const hidden = new Set([...known].filter(([, { isDeferred }]) => isDeferred).map(([name]) => name));
  for (const change of changes) {
    if (change.type === 'declare') declare(change.tool, change.path, true);
    if (change.type === 'hide') hidden.add(change.name);
    else hidden.delete((change.type === 'show' ? change.name : change.tool.name) ?? '');
  }
  for (const name of hidden) uncallable.add(name);
  const tools = [...known.values()].flatMap(({ definition }) => (hidden.has(definition.name) ? [] : [definition]));
  assertToolCount(tools.length);
  return { tools, webSearch, uncallable };
}

function decodeTool(tool: WireTool, path: string, ignored: IgnoredFields): ToolDefinition {
  const { name, description, input_schema: parameters, strict, ...rest } = parsePart(customToolSchema, tool, path);
  ignored.addUnknown(rest, customToolSchema.shape, 'tools[].');
  return { name, description, parameters, strict: strict ?? false, param: `${path}.input_schema` };
}
