import { TurnError, type TurnRequest } from '@zai2api/turn';
import { estimateInput } from '../answer/estimate-input.ts';
import type { ModelRoute } from '../models/model-directory.ts';

/** No text has more tokens than this for each of its characters: what is short is not counted at all. */
const MOST_TOKENS_PER_CHARACTER = 2;

/**
 * The places whose models take a request of this length, as far as we can estimate it. Throws `context_length_exceeded`, with the numbers of
 * the longest of them, when none does: a conversation that is cut by somebody else looks answered and is not (contract 5.1).
 */
export function placesThatFit(
  places: readonly ModelRoute[],
  request: TurnRequest,
  countTokens: (text: string) => number,
): readonly ModelRoute[] {
  if (places.every((place) => isSurelyWithin(limitOf(place), request))) return places;
  const inputTokens = estimateInput(request, countTokens);
  const fitting = places.filter((place) => inputTokens <= limitOf(place));
  const maxInputTokens = longestOf(places);
  if (fitting.length > 0 || maxInputTokens === Infinity) return fitting;
  throw tooLong({ inputTokens, maxInputTokens });
}

/** The longest conversation that one of the places takes. */
export function longestOf(places: readonly ModelRoute[]): number {
  return Math.max(0, ...places.map(limitOf));
}

/** True for what is so short that nobody has to count it. */
export function isSurelyWithin(maxTokens: number, request: TurnRequest): boolean {
  return estimateInput(request, ({ length }) => length * MOST_TOKENS_PER_CHARACTER) <= maxTokens;
}

const limitOf = ({ model }: ModelRoute): number => model.contextTokens ?? Infinity;

/** The same error where an upstream found it out and did not say by how much: official clients look for the numbers (contract 3.6). */
export function withLengths(
  error: TurnError,
  { request, model }: { readonly request: TurnRequest; readonly model: ModelRoute['model'] },
  countTokens: (text: string) => number,
): TurnError {
  const { contextTokens: maxInputTokens } = model;
  const { reason, overflow } = error.details;
  if (reason !== 'context_length_exceeded' || overflow || maxInputTokens === undefined) return error;
  // It is too long, whatever our estimate says.
  return tooLong(
    { inputTokens: Math.max(estimateInput(request, countTokens), maxInputTokens + 1), maxInputTokens },
    error,
  );
}

function tooLong(overflow: NonNullable<TurnError['details']['overflow']>, cause?: TurnError): TurnError {
  const { inputTokens, maxInputTokens } = overflow;
  const message = `The conversation has about ${inputTokens} tokens, and the model takes ${maxInputTokens}.`;
  return new TurnError('invalid_request', message, {
    layer: 'client',
    param: 'messages',
    ...cause?.details,
    reason: 'context_length_exceeded',
    overflow,
    cause,
  });
}
