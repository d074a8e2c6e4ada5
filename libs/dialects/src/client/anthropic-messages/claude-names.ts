import type { ModelInfo } from '../../models.ts';

const PREFIX = 'claude-';

/**
 * The models under names that all clients of this API take for models of it (contract 3.8), such as `claude-glm-5`; those that have such a
 * name already are left out.
 */
export function listClaudeNames(models: readonly ModelInfo[]): ModelInfo[] {
  return models.flatMap((model) => (/claude|anthropic/i.test(model.id) ? [] : [{ ...model, id: PREFIX + model.id }]));
}

/** What is behind the first word of such a name; undefined for a name without it. */
export function withoutClaude(name: string): string | undefined {
  return name.toLowerCase().startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}
