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
  allNamed(name: string): readonly string[];
}

const MAX_NAME_LENGTH = 64;

/** Names for one request. Each step takes the same time however many there are. */
export function createToolNames(): ToolNames {
  const tools = new Map<string, NamedTool>();
  /** Names for the model by the client's, in the order of their declaration. */
  const byName = new Map<string, string[]>();
  /** The same for one namespace: the first one. */
  const byNamespace = new Map<string | undefined, Map<string, string>>();
  /** What the next of those that would have the same name ends in. */
  const nextCounts = new Map<string, number>();

  function freeName({ name, namespace = '' }: NamedTool): string {
    if (!tools.has(name)) return name;
    const full = `${namespace.replaceAll(/[^A-Za-z0-9_-]/g, '_')}__${name}`.slice(-MAX_NAME_LENGTH);
    if (!tools.has(full)) return full;
    const stem = full.slice(0, MAX_NAME_LENGTH - 4);
    let count = nextCounts.get(stem) ?? 2;
    while (tools.has(`${stem}_${count}`)) count += 1;
    nextCounts.set(stem, count + 1);
    return `${stem}_${count}`;
  }

  return {
    add(tool) {
      const modelName = freeName(tool);
      tools.set(modelName, tool);
      const { name, namespace } = tool;
      byName.set(name, byName.get(name) ?? []);
      byName.get(name)?.push(modelName);
      const space = byNamespace.get(namespace) ?? new Map<string, string>();
      byNamespace.set(namespace, space);
      if (!space.has(name)) space.set(name, modelName);
      return modelName;
    },
    find: (modelName) => tools.get(modelName),
    modelNameOf: (name, namespace) => byNamespace.get(namespace)?.get(name) ?? byName.get(name)?.[0] ?? name,
    allNamed: (name) => byName.get(name) ?? [],
  };
}
