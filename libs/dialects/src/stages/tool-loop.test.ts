import { describe, expect, it } from '@jest/globals';
import type { TurnMessage } from '@zai2api/turn';
import { findRepeatedCalls, isRepeatedCall } from './tool-loop.ts';

const user: TurnMessage = { role: 'user', text: 'Go.', attachments: [] };

/** Rounds of one call each: arguments and result. */
const rounds = (...pairs: readonly (readonly [string, string])[]): TurnMessage[] =>
  pairs.flatMap(([argumentsText, result], index): TurnMessage[] => [
    { role: 'assistant', text: '', toolCalls: [{ callId: `c${index}`, name: 'f', argumentsText }] },
    { role: 'tool', callId: `c${index}`, text: result },
  ]);

describe('findRepeatedCalls', () => {
  it.each<[string, TurnMessage[], number | undefined]>([
    ['nothing', [], undefined],
    ['one round', [user, ...rounds(['{}', 'x'])], undefined],
    ['two equal rounds', [user, ...rounds(['{"a":1,"b":2}', 'x'], ['{"b": 2, "a": 1}', 'x'])], 2],
    ['two results', [user, ...rounds(['{}', 'x'], ['{}', 'y'])], undefined],
    ['two kinds of arguments', [user, ...rounds(['{"a":1}', 'x'], ['{"a":2}', 'x'])], undefined],
    ['equal rounds behind another', [user, ...rounds(['{"a":1}', 'x'], ['{}', 'x'], ['{}', 'x'], ['{}', 'x'])], 3],
    ['a user in between', [...rounds(['{}', 'x']), user, ...rounds(['{}', 'x'])], undefined],
    ['a user behind', [...rounds(['{}', 'x'], ['{}', 'x']), user], undefined],
    ['calls without results', [...rounds(['{}', 'x']), ...rounds(['{}', 'x']).slice(0, 1)], undefined],
    ['broken arguments', rounds(['{"a":', 'x'], ['{"a":', 'x']), 2],
    ['nesting that no one can follow', rounds(['['.repeat(100_000), 'x'], ['['.repeat(100_000), 'x']), 2],
  ])('in %s', (_name, messages: TurnMessage[], times) => {
    expect(findRepeatedCalls(messages)?.times).toBe(times);
  });

  it('knows the call again, however its arguments are written', () => {
    const repeated = findRepeatedCalls(
      rounds(['{"a":1,"b":[{"d":1,"c":2}]}', 'x'], ['{"a":1,"b":[{"d":1,"c":2}]}', 'x']),
    );
    expect(isRepeatedCall(repeated, { name: 'f', argumentsText: '{"b":[{"c":2,"d":1}], "a":1}' })).toBe(true);
    expect(isRepeatedCall(repeated, { name: 'f', argumentsText: '{"a":1}' })).toBe(false);
    expect(isRepeatedCall(repeated, { name: 'g', argumentsText: '{"a":1,"b":[{"d":1,"c":2}]}' })).toBe(false);
    expect(isRepeatedCall(undefined, { name: 'f', argumentsText: '{}' })).toBe(false);
  });
});
