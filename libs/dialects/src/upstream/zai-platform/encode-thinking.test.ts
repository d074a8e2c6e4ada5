import { describe, expect, it } from '@jest/globals';
import { reasoningEfforts, type ReasoningEffort } from '@zai2api/turn';
import { encodeThinking } from './encode-thinking.ts';
import { platformTraits } from './platform-models.ts';

const encode = (model: string, thinking: boolean, effort?: ReasoningEffort): unknown => {
  const { thinking: mode, reasoning_effort: level } = encodeThinking(platformTraits(model), {
    thinking,
    effort,
    keepsReasoning: false,
  });
  return [mode?.type, level];
};

/** A client's effort switches thinking as well (contract 1.1). */
const means = (effort: ReasoningEffort): boolean => effort !== 'none' && effort !== 'minimal';

describe('thinking and effort (contract 1.7)', () => {
  it('are a switch on models without an effort', () => {
    expect(reasoningEfforts.map((effort) => encode('glm-4.7', means(effort), effort))).toEqual([
      ['disabled', undefined],
      ['disabled', undefined],
      ...Array<unknown>(5).fill(['enabled', undefined]),
    ]);
  });

  it('are folded up on GLM-5.2', () => {
    expect(reasoningEfforts.map((effort) => encode('glm-5.2', means(effort), effort))).toEqual([
      ['disabled', undefined],
      ['disabled', undefined],
      ['enabled', 'high'],
      ['enabled', 'high'],
      ['enabled', 'high'],
      ['enabled', 'max'],
      ['enabled', 'max'],
    ]);
    expect(encode('glm-5.2', true)).toEqual(['enabled', undefined]);
  });

  it.each(['glm-5.3', 'glm-5.3-flash', 'glm-6'])('never stop on %s', (model) => {
    expect(reasoningEfforts.map((effort) => encode(model, means(effort), effort))).toEqual([
      ['enabled', 'low'],
      ['enabled', 'low'],
      ['enabled', 'low'],
      ['enabled', 'low'],
      ['enabled', 'high'],
      ['enabled', 'max'],
      ['enabled', 'max'],
    ]);
    expect(encode(model, true)).toEqual(['enabled', undefined]);
    expect(encode(model, false)).toEqual(['enabled', 'low']);
  });

  it('are not spoken of to a model without any', () => {
    expect(encode('glm-4-32b-0414-128k', true, 'high')).toEqual([undefined, undefined]);
  });
});
