import type { Usage } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';

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
