/** A tool as its client knows it. */
export interface NamedTool {
  readonly name: string;
  /** Of a tool that was declared inside one. */
  readonly namespace?: string | undefined;
  /** Custom tools take free text, and their calls are items of their own. */
  readonly kind: 'function' | 'custom';
}

/** The tools of a request by the names that the model knows them by: each of them once. */
export interface ToolNames {
  /** The name for the model. The same as the client's, unless another tool has taken that. */
  add(tool: NamedTool): string;
  /** The tool behind a name of the model. */
  find(modelName: string): NamedTool | undefined;
  /** The name for the model of a tool that the client names; the client's own when nobody declared such a tool. */
  modelNameOf(name: string, namespace: string | undefined): string;
  /** The names for the model of all tools that the client calls so, in whatever namespace. */
  allNamed(name: string): string[];
}

const MAX_NAME_LENGTH = 64;

/** Names for one request. */
export function createToolNames(): ToolNames {
  const tools = new Map<string, NamedTool>();

  function freeName({ name, namespace = '' }: NamedTool): string {
    if (!tools.has(name)) return name;
    const full = `${namespace.replaceAll(/[^A-Za-z0-9_-]/g, '_')}__${name}`.slice(-MAX_NAME_LENGTH);
    let free = full;
    for (let count = 2; tools.has(free); count += 1) free = `${full.slice(0, MAX_NAME_LENGTH - 4)}_${count}`;
    return free;
  }

  const allNamed = (name: string): string[] =>
    [...tools].filter(([, tool]) => tool.name === name).map(([modelName]) => modelName);

  return {
    add(tool) {
      const modelName = freeName(tool);
      tools.set(modelName, tool);
      return modelName;
    },
    find: (modelName) => tools.get(modelName),
    modelNameOf(name, namespace) {
      const fits = allNamed(name);
      return fits.find((modelName) => tools.get(modelName)?.namespace === namespace) ?? fits[0] ?? name;
    },
    allNamed,
  };
}
