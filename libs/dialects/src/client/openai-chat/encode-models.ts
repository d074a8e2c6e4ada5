import type { ModelInfo } from '../../models.ts';

/** One model (contract 4.1). `name`, `capabilities`, `max_output_tokens` and `context_length` are extra keys that some clients show. */
export function encodeOpenAiModel(model: ModelInfo): unknown {
  return {
    id: model.id,
    object: 'model',
    created: model.createdAtSeconds,
    owned_by: model.ownedBy,
    name: model.name,
    capabilities: {
      vision: model.capabilities.vision,
      thinking: model.capabilities.thinking,
      reasoning_effort: model.capabilities.reasoningEffort,
      web_search: model.capabilities.webSearch,
    },
    ...(model.maxOutputTokens !== undefined && { max_output_tokens: model.maxOutputTokens }),
    ...(model.contextTokens !== undefined && { context_length: model.contextTokens }),
  };
}

/** The model list (contract 4.1), in the order given. */
export function encodeOpenAiModelList(models: readonly ModelInfo[]): unknown {
  return { object: 'list', data: models.map(encodeOpenAiModel) };
}
