import { describe, expect, it } from '@jest/globals';
import type { TurnMessage } from '@zai2api/turn';
import { createMarkupHistory, createPlainHistory } from './tool-history.ts';

const result = { role: 'tool', callId: 'a', text: 'r' } as const;
const called = (name: string, argumentsText: string): TurnMessage => ({
  role: 'assistant',
  text: '',
  toolCalls: [{ callId: 'a', name, argumentsText }],
});

describe('a result in the history', () => {
  it('names its call', () => {
    const messages = [called('look', '{"at":"it"}'), result];
    expect(createPlainHistory(messages).result(result)).toBe(
      '<result>\nThe result of look with {"at":"it"}:\nr\n</result>',
    );
    expect(createMarkupHistory(messages).result(result)).toContain(' name="look"');
  });

  it('does not tell all of a large call again', () => {
    const large = 'x'.repeat(1_000_000);
    expect(createPlainHistory([called('look', large)]).result(result).length).toBeLessThan(2_000);
    expect(createMarkupHistory([called(large, '{}')]).result(result).length).toBeLessThan(2_000);
  });
});
