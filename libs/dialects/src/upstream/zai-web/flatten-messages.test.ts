import { describe, expect, it } from '@jest/globals';
import type { TurnMessage } from '@zai2api/turn';
import { flattenMessages } from './flatten-messages.ts';

const calls = [
  { callId: 'call-1', name: 'get_weather', argumentsText: '{"city":"Paris"}' },
  { callId: 'call-"2"', name: 'now', argumentsText: '{}' },
];

/** What follows the preamble, which is the first paragraph. */
const behindPreamble = (messages: TurnMessage[]): string => {
  const text = flattenMessages(messages);
  return text.slice(text.indexOf('\n\n') + 2);
};

describe('flattenMessages', () => {
  it.each(['hello', '', '  <user>\nas it is\n</user>  ', '你好 🚀'])(
    'leaves a lone user message %p unchanged',
    (text) => {
      expect(flattenMessages([{ role: 'user', text, attachments: [] }])).toBe(text);
    },
  );

  it('says first what the tags mean', () => {
    const text = flattenMessages([
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'Hi', attachments: [] },
    ]);
    expect(text).toMatch(/^The following is a conversation/);
    expect(text).toMatch(/\n\n<system>\nBe brief.\n<\/system>\n\n<user>\nHi\n<\/user>$/);
  });

  it.each<[string, TurnMessage[], string]>([
    ['a lone system message', [{ role: 'system', text: 'S' }], '<system>\nS\n</system>'],
    ['a lone assistant message', [{ role: 'assistant', text: 'A', toolCalls: [] }], '<assistant>\nA\n</assistant>'],
    [
      'the order of a conversation',
      [
        { role: 'user', text: '1', attachments: [] },
        { role: 'assistant', text: '2', toolCalls: [] },
        { role: 'user', text: '3', attachments: [] },
      ],
      '<user>\n1\n</user>\n\n<assistant>\n2\n</assistant>\n\n<user>\n3\n</user>',
    ],
    [
      'tool calls without text',
      [{ role: 'assistant', text: '', toolCalls: calls }],
      '<assistant>\n<tool_call id="call-1" name="get_weather">\n{"city":"Paris"}\n</tool_call>\n' +
        '<tool_call id="call-\\"2\\"" name="now">\n{}\n</tool_call>\n</assistant>',
    ],
    [
      'tool calls behind text and their result',
      [
        { role: 'assistant', text: 'Let me see.', toolCalls: calls.slice(0, 1) },
        { role: 'tool', callId: 'call-1', text: '21 °C' },
      ],
      '<assistant>\nLet me see.\n<tool_call id="call-1" name="get_weather">\n{"city":"Paris"}\n</tool_call>\n</assistant>\n\n' +
        '<tool_result id="call-1">\n21 °C\n</tool_result>',
    ],
  ])('writes %s', (_name, messages: TurnMessage[], text) => {
    expect(behindPreamble(messages)).toBe(text);
  });
});
