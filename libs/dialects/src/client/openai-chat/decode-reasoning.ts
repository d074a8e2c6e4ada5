import type { TurnRequest } from '@zai2api/turn';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { meansThinking } from '../request/means-thinking.ts';
import { chatTemplateSchema, reasoningSchema, thinkingSchema, type WireRequest } from './wire-schema.ts';

/**
 * The thinking switch out of its five spellings. An explicit `thinking` or `enable_thinking` wins over `reasoning` and
 * `reasoning_effort`, which win over the suffix of the model name: `enabled` stays undefined when nobody said anything
 * (contract 1.1). An effort that contradicts the switch is dropped. How thinking is shown is an extra field, `think_tags_mode`.
 */
export function decodeReasoning(wire: WireRequest, ignored: IgnoredFields): TurnRequest['reasoning'] {
  if (wire.thinking) ignored.addUnknown(wire.thinking, thinkingSchema.shape, 'thinking.');
  if (wire.chat_template_kwargs) {
    ignored.addUnknown(wire.chat_template_kwargs, chatTemplateSchema.shape, 'chat_template_kwargs.');
  }
  const reasoning = typeof wire.reasoning === 'boolean' ? { enabled: wire.reasoning } : wire.reasoning;
  if (typeof wire.reasoning === 'object') ignored.addUnknown(wire.reasoning, reasoningSchema.shape, 'reasoning.');

  const explicit = decodeThinkingType(wire) ?? wire.enable_thinking ?? wire.chat_template_kwargs?.enable_thinking;
  const detail: Partial<ReturnType<typeof reasoningSchema.parse>> = reasoning ?? {};
  const effort = wire.reasoning_effort ?? detail.effort;
  const enabled = explicit ?? detail.enabled ?? (effort && meansThinking(effort));
  return {
    enabled,
    effort: effort !== undefined && meansThinking(effort) === enabled ? effort : undefined,
    visible: detail.exclude !== true,
    rendering: wire.think_tags_mode,
  };
}

/** `adaptive` and `auto` leave the choice to the model: the same as saying nothing. */
function decodeThinkingType(wire: WireRequest): boolean | undefined {
  const type = wire.thinking?.type;
  return type === 'enabled' ? true : type === 'disabled' ? false : undefined;
}
