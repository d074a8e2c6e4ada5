import type { ToolDefinition } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { customToolDefinition } from '../request/custom-tool.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { parsePart } from '../request/parse-body.ts';
import { invalidValue } from '../request/request-fault.ts';
import { assertToolCount } from '../request/tool-count.ts';
import { createToolNames, type NamedTool, type ToolNames } from './tool-names.ts';
import { customToolSchema, functionToolSchema, namespaceToolSchema, type WireTool } from './wire-schema.ts';

/** A list of tools, and where it stands in the request. */
export interface ToolList {
  readonly path: string;
  readonly tools: readonly WireTool[];
  /** False: a tool that is declared again takes the place of the first one, as it may with every turn of a conversation. */
  readonly isUnique: boolean;
}

/** What the tools of a request ask for. */
export interface DecodedTools {
  readonly tools: readonly ToolDefinition[];
  readonly names: ToolNames;
  /** True when a web search tool is among them and the model has no other tools; otherwise they say nothing about search. */
  readonly webSearch: true | undefined;
}

/**
 * Functions, free-text tools and those of namespaces as definitions (contract 2.5). Hosted tools are named as ignored: nobody here can run
 * them. Throws when two tools of one list share a name, and when there are too many.
 */
export function decodeTools(lists: readonly ToolList[], ignored: IgnoredFields): DecodedTools {
  const names = createToolNames();
  const definitions = new Map<string, ToolDefinition>();
  const searches = new Set<string>();

  function add(tool: NamedTool, path: string, isUnique: boolean, define: (name: string) => ToolDefinition): void {
    const key = `${tool.namespace ?? ''} ${tool.name}`;
    const known = definitions.get(key);
    if (known && isUnique) throw invalidValue(`${path}.name`, 'another tool has the same name.');
    definitions.set(key, define(known?.name ?? names.add(tool)));
    assertToolCount(definitions.size);
  }

  function decodeTool(tool: WireTool, path: string, isUnique: boolean, namespace?: string): void {
    if (tool.type === 'function') {
      const declared = parsePart(functionToolSchema, tool, path);
      const { description, parameters = {}, strict = isStrictShaped(parameters) } = declared;
      ignored.addUnknown(declared, functionToolSchema.shape, 'tools[].');
      add({ name: declared.name, namespace, kind: 'function' }, path, isUnique, (name) => ({
        name,
        description,
        parameters,
        strict,
        param: `${path}.parameters`,
      }));
    } else if (tool.type === 'custom') {
      const declared = parsePart(customToolSchema, tool, path);
      ignored.addUnknown(declared, customToolSchema.shape, 'tools[].');
      add({ name: declared.name, namespace, kind: 'custom' }, path, isUnique, (name) =>
        customToolDefinition(name, describeCustomTool(declared)),
      );
    } else if (tool.type === 'namespace' && namespace === undefined) {
      const declared = parsePart(namespaceToolSchema, tool, path);
      ignored.addUnknown(declared, namespaceToolSchema.shape, 'tools[].');
      declared.tools.forEach((inner, index) => decodeTool(inner, `${path}.tools[${index}]`, isUnique, declared.name));
    } else if (isSearch(tool.type)) {
      searches.add(tool.type);
    } else {
      ignored.addUnlessDefault(tool.type, true, 'tools[].');
    }
  }

  for (const { path, tools, isUnique } of lists) {
    tools.forEach((tool, index) => decodeTool(tool, `${path}[${index}]`, isUnique));
  }
  if (searches.size > 0 && definitions.size > 0) ignored.add('tools[].web_search');
  return {
    tools: [...definitions.values()],
    names,
    webSearch: searches.size > 0 && definitions.size === 0 ? true : undefined,
  };
}

/** True for the tool types that the search of the upstream stands in for. */
export function isSearch(type: string): boolean {
  return type.startsWith('web_search');
}

/** The grammar is told to the model; nothing holds it to it (contract 2.5). */
function describeCustomTool(tool: {
  readonly description?: string | undefined;
  readonly format?: { readonly syntax?: string | undefined; readonly definition?: string | undefined } | undefined;
}): string | undefined {
  const { description, format } = tool;
  if (format?.definition === undefined) return description;
  const grammar = `The input must follow this ${format.syntax ?? ''} grammar:\n${format.definition}`;
  return description === undefined ? grammar : `${description}\n\n${grammar}`;
}

/**
 * Whether a schema is written for strict mode: every object closed and with all of its properties required. Clients that leave `strict` out
 * mean it then, and only then (contract 2.3).
 */
function isStrictShaped(schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  return schema['type'] === 'object' && everyObject(schema);
}

function everyObject(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(everyObject);
  if (!isRecord(schema)) return true;
  const { properties, required, additionalProperties } = schema;
  if (isRecord(properties)) {
    if (additionalProperties !== false || !Array.isArray(required)) return false;
    const names = new Set<unknown>(required);
    if (Object.keys(properties).some((name) => !names.has(name))) return false;
    if (!Object.values(properties).every(everyObject)) return false;
  }
  return everyObject(schema['items']) && everyObject(schema['anyOf']);
}
