import type { ToolChoice, ToolDefinition } from '@zai2api/turn';

/** The tools that may be called, by name: none, all, or those that the choice names. */
export function allowedTools(
  tools: readonly ToolDefinition[],
  { mode, tools: names }: ToolChoice,
): ReadonlyMap<string, ToolDefinition> {
  const allowed = mode === 'none' ? [] : tools.filter(({ name }) => names === undefined || names.includes(name));
  return new Map(allowed.map((tool) => [tool.name, tool]));
}
