import type { ModelInfo } from '../../models.ts';

/** Which part of a list is wanted; at most one of the ids counts, `before` first. */
export interface PageWish {
  readonly limit: number;
  /** The part that follows this id. */
  readonly afterId?: string | undefined;
  /** The part that ends before this id. */
  readonly beforeId?: string | undefined;
}

/** One model (contract 4.1), every key that the newest clients know included. */
export function encodeAnthropicModel(model: ModelInfo) {
  return {
    type: 'model',
    id: model.id,
    display_name: model.name,
    created_at: new Date(model.createdAtSeconds * 1000).toISOString().replace('.000Z', 'Z'),
    max_input_tokens: model.contextTokens ?? null,
    max_tokens: model.maxOutputTokens ?? null,
    capabilities: null,
    lifecycle: 'active',
    line: null,
    deprecated_at: null,
    retires_at: null,
  };
}

/** A page of the model list in the order given (contract 4.1). What follows an id that is not in the list is nothing. */
export function encodeAnthropicModelPage(models: readonly ModelInfo[], { limit, afterId, beforeId }: PageWish) {
  const cursor = models.findIndex(({ id }) => id === (beforeId ?? afterId));
  const isBackwards = beforeId !== undefined;
  const all = isBackwards
    ? models.slice(0, Math.max(0, cursor))
    : models.slice(afterId === undefined ? 0 : cursor < 0 ? models.length : cursor + 1);
  const page = isBackwards ? all.slice(-limit) : all.slice(0, limit);
  return {
    data: page.map(encodeAnthropicModel),
    has_more: page.length < all.length,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}
