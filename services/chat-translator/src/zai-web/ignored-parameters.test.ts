import { describe, expect, it } from '@jest/globals';
import type { TurnRequest } from '@zai2api/turn';
import { ignoredByZaiWeb } from './ignored-parameters.ts';

const request: TurnRequest = {
  model: 'glm-4.6',
  messages: [],
  reasoning: { visible: true },
  tools: [],
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { stop: ['x'], maxOutputTokens: 5 },
};

describe('ignoredByZaiWeb', () => {
  it.each<[Partial<TurnRequest['sampling']>, string[]]>([
    [{}, []],
    [{ temperature: 0 }, ['temperature']],
    [{ temperature: 1, topP: 0.5 }, ['temperature', 'top_p']],
  ])('%j ignores %j', (sampling, fields) => {
    const warnings = ignoredByZaiWeb({ ...request, sampling: { ...request.sampling, ...sampling } });
    expect(warnings).toEqual(fields.map((field) => ({ code: 'ignored-parameter', field })));
  });
});
