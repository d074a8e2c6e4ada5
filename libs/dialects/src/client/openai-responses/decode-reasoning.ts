import type { TurnRequest } from '@zai2api/turn';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { meansThinking } from '../request/means-thinking.ts';
import { reasoningSchema, type WireRequest } from './wire-schema.ts';

/**
 * The thinking switch (contract 2.3): an effort says whether to think; without one the model's name and the house decide. Thinking is shown
 * as the house shows it, whatever kind of summary is asked for: there is one kind. How it is shown is an extra field, `think_tags_mode`.
 */
export function decodeReasoning(wire: WireRequest, ignored: IgnoredFields): TurnRequest['reasoning'] {
  const { effort, summary, generate_summary: generateSummary } = wire.reasoning ?? {};
  if (wire.reasoning) ignored.addUnknown(wire.reasoning, reasoningSchema.shape, 'reasoning.');
  const enabled = effort && meansThinking(effort);
  return {
    enabled,
    effort: enabled === true ? effort : undefined,
    visible: (summary ?? generateSummary) !== 'none',
    rendering: wire.think_tags_mode,
  };
}
