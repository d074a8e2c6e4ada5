import type { Usage } from '@zai2api/turn';
import { isRecord } from '../is-record.ts';

/** The upstream's own counts (protocol 5.2); undefined unless both totals are there. `words` is not a token figure. */
export function decodeUsage(value: unknown): Usage | undefined {
  if (!isRecord(value)) return undefined;
  const inputTokens = count(value['prompt_tokens']);
  const outputTokens = count(value['completion_tokens']);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return {
    inputTokens,
    outputTokens,
    cachedInputTokens: detail(value['prompt_tokens_details'], 'cached_tokens'),
    reasoningTokens: detail(value['completion_tokens_details'], 'reasoning_tokens'),
    exactness: 'exact',
  };
}

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : undefined;

const detail = (details: unknown, key: string): number => (isRecord(details) ? (count(details[key]) ?? 0) : 0);

/** What was sent, and what it answers. */
export interface CountedTexts {
  readonly prompt: string;
  readonly reasoning: string;
  readonly text: string;
}

/**
 * The usage of a whole answer: the upstream's, else estimated. The upstream counts thinking without saying how much of it there was: it gets
 * its share of the counted tokens by its length, as counting it anew would cost milliseconds at the end of a long answer and be no truer.
 */
export function completeUsage(
  counted: Usage | undefined,
  texts: CountedTexts,
  countTokens: (text: string) => number,
): Usage {
  if (!counted) {
    const reasoningTokens = countTokens(texts.reasoning);
    return {
      inputTokens: countTokens(texts.prompt),
      outputTokens: reasoningTokens + countTokens(texts.text),
      cachedInputTokens: 0,
      reasoningTokens,
      exactness: 'estimated',
    };
  }
  const share = texts.reasoning.length / Math.max(1, texts.reasoning.length + texts.text.length);
  const reasoningTokens = counted.reasoningTokens || Math.round(counted.outputTokens * share);
  return { ...counted, reasoningTokens: Math.min(reasoningTokens, counted.outputTokens) };
}
