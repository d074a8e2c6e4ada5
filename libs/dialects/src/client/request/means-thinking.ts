import type { ReasoningEffort } from '@zai2api/turn';

/** Whether a model that is to make this effort thinks at all (contract 1.7). */
export function meansThinking(effort: ReasoningEffort): boolean {
  return effort !== 'none' && effort !== 'minimal';
}
