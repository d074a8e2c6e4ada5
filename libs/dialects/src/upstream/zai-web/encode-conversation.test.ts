import { describe, expect, it } from '@jest/globals';
import type { TurnMessage } from '@zai2api/turn';
import { encodeConversation } from './encode-conversation.ts';
import { flattenMessages } from './flatten-messages.ts';

const user = (text: string): TurnMessage => ({ role: 'user', text, attachments: [] });
const system: TurnMessage = { role: 'system', text: 'Be brief.' };
const called: TurnMessage = {
  role: 'assistant',
  text: 'Let me see.',
  toolCalls: [{ callId: 'c1', name: 'look', argumentsText: '{"at":1}' }],
};
const result: TurnMessage = { role: 'tool', callId: 'c1', text: 'nothing' };
const tools = [{ name: 'look', parameters: {}, strict: false }];

describe('a conversation message by message', () => {
  it('keeps roles and order, and the last user text apart', () => {
    const messages = [system, user('Hi'), { role: 'assistant', text: 'Hello', toolCalls: [] } as const, user('Bye')];
    expect(encodeConversation(messages, { mode: 'messages' })).toEqual({
      prompt: 'Bye',
      earlier: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
      ],
    });
  });

  it('gives a tool result as the user, with the instructions behind it', () => {
    const { prompt, earlier } = encodeConversation([user('Look'), called, result], {
      mode: 'messages',
      tools,
      closing: 'In JSON.',
    });
    expect(earlier.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(earlier[1]?.content).toContain('<tool_calls>');
    expect(prompt).toMatch(/^<tool_result id="c1" name="look">/);
    expect(prompt).toContain('You can call these tools');
    expect(prompt).toMatch(/In JSON\.$/);
  });

  it.each<[string, TurnMessage[]]>([
    ['ends with the assistant', [user('Hi'), { role: 'assistant', text: 'He', toolCalls: [] }]],
    ['ends with the system', [user('Hi'), system]],
    ['is one message', [user('Hi')]],
  ])('is flattened when it %s', (_name, messages) => {
    expect(encodeConversation(messages, { mode: 'messages' })).toEqual({
      prompt: flattenMessages(messages),
      earlier: [],
    });
  });
});

it('is one text when flattened', () => {
  const messages = [system, user('Hi')];
  expect(encodeConversation(messages, { mode: 'flattened' })).toEqual({
    prompt: flattenMessages(messages),
    earlier: [],
  });
});
