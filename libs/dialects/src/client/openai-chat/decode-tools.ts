import type { ToolDefinition } from '@zai2api/turn';
import { customToolDefinition } from '../request/custom-tool.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { invalidValue, required } from '../request/request-fault.ts';
import {
  customToolSchema,
  functionSchema,
  toolSchema,
  webSearchToolSchema,
  type WireFunction,
  type WireRequest,
  type WireTool,
} from './wire-schema.ts';

/** What the tools of a request ask for. */
export interface DecodedTools {
  readonly tools: readonly ToolDefinition[];
  /** True when a web search tool is among them; otherwise they say nothing about search. */
  readonly webSearch: true | undefined;
  /** The tools came as `functions`: calls have to be answered in the shape of that time (contract 1.1). */
  readonly legacyFunctions: boolean;
}

/**
 * Function tools, custom tools and legacy functions as definitions (contract 1.1). Tools of other types are named as ignored, for clients
 * send what their own providers invented (contract 0.2). Throws when two tools share a name or both spellings are used.
 */
export function decodeTools(wire: WireRequest, ignored: IgnoredFields): DecodedTools {
  const tools = wire.tools ?? [];
  const functions = wire.functions ?? [];
  if (tools.length > 0 && functions.length > 0) {
    throw invalidValue('functions', "it cannot be used together with 'tools'.");
  }
  const names = new Set<string>();
  const addName = (name: string, param: string): void => {
    if (names.has(name)) throw invalidValue(param, 'another tool has the same name.');
    names.add(name);
  };
  const definitions = [
    ...tools.flatMap((tool, index) => decodeTool(tool, `tools[${index}]`, addName, ignored)),
    ...functions.map((declared, index) => {
      addName(declared.name, `functions[${index}].name`);
      return decodeFunction(declared, `functions[${index}]`, 'functions[].', ignored);
    }),
  ];
  const search = tools.some((tool) => isSearch(tool) && tool.web_search?.enable !== false);
  return { tools: definitions, webSearch: search ? true : undefined, legacyFunctions: functions.length > 0 };
}

function decodeTool(
  tool: WireTool,
  path: string,
  addName: (name: string, param: string) => void,
  ignored: IgnoredFields,
): ToolDefinition[] {
  if (tool.type !== 'function' && tool.type !== 'custom' && !isSearch(tool)) {
    ignored.addUnlessDefault(tool.type, true, 'tools[].');
    return [];
  }
  ignored.addUnknown(tool, toolSchema.shape, 'tools[].');
  if (tool.type === 'function') {
    const declared = required(tool.function, `${path}.function`);
    addName(declared.name, `${path}.function.name`);
    return [decodeFunction(declared, `${path}.function`, 'tools[].function.', ignored)];
  }
  if (tool.type === 'custom') {
    const declared = required(tool.custom, `${path}.custom`);
    addName(declared.name, `${path}.custom.name`);
    ignored.addUnknown(declared, customToolSchema.shape, 'tools[].custom.');
    // Free text is the default; a grammar is more than can be held.
    if (declared.format && declared.format.type !== 'text') ignored.add('tools[].custom.format');
    return [customToolDefinition(declared.name, declared.description)];
  }
  if (tool.web_search) ignored.addUnknown(tool.web_search, webSearchToolSchema.shape, 'tools[].web_search.');
  return [];
}

function decodeFunction(declared: WireFunction, path: string, prefix: string, ignored: IgnoredFields): ToolDefinition {
  ignored.addUnknown(declared, functionSchema.shape, prefix);
  return {
    name: declared.name,
    description: declared.description,
    parameters: declared.parameters ?? {},
    strict: declared.strict ?? false,
    param: `${path}.parameters`,
  };
}

function isSearch(tool: WireTool): boolean {
  return tool.type.startsWith('web_search');
}
