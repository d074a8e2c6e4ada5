import type { ReasoningEffort } from '@zai2api/turn';
import type { PlatformTraits } from './platform-models.ts';

/** The two fields about thinking (protocol 10.2). */
export interface EncodedThinking {
  readonly thinking?: { readonly type: 'enabled' | 'disabled'; readonly clear_thinking?: false };
  readonly reasoning_effort?: 'low' | 'high' | 'max';
}

type Levels = Record<ReasoningEffort, 'low' | 'high' | 'max' | undefined>;

/** What each model makes of an effort (contract 1.7); undefined: thinking is off. */
const levels: Record<Exclude<PlatformTraits['effort'], 'none'>, Levels> = {
  'high-max': {
    none: undefined,
    minimal: undefined,
    low: 'high',
    medium: 'high',
    high: 'high',
    xhigh: 'max',
    max: 'max',
  },
  'low-high-max': { none: 'low', minimal: 'low', low: 'low', medium: 'low', high: 'high', xhigh: 'max', max: 'max' },
};

/**
 * Whether and how hard to think. A model that cannot stop thinking thinks as little as it can instead. `keepsReasoning`: earlier thoughts
 * go up with the conversation and are not to be cleared from it.
 */
export function encodeThinking(
  traits: PlatformTraits,
  asked: { readonly thinking: boolean; readonly effort: ReasoningEffort | undefined; readonly keepsReasoning: boolean },
): EncodedThinking {
  if (traits.thinking === 'none') return {};
  const thinks = traits.thinking === 'always' || asked.thinking;
  const effort = asked.thinking ? asked.effort : 'none';
  const level = traits.effort === 'none' || effort === undefined ? undefined : levels[traits.effort][effort];
  return {
    thinking: {
      type: thinks ? 'enabled' : 'disabled',
      ...(thinks && asked.keepsReasoning ? { clear_thinking: false } : {}),
    },
    ...(thinks && level !== undefined ? { reasoning_effort: level } : {}),
  };
}
