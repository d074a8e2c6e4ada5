import { describe, expect, it } from '@jest/globals';
import type { TurnMessage } from '@zai2api/turn';
import { flattenMessages, type FlattenOptions } from './flatten-messages.ts';

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

  it('gives earlier thoughts back in words', () => {
    const text = behindPreamble([
      { role: 'assistant', text: 'It rains.', toolCalls: [], reasoning: 'I saw clouds.' },
      { role: 'user', text: 'Sure?', attachments: [] },
    ]);
    expect(text).toBe(
      '<assistant>\nMy thoughts were: I saw clouds.\n\nIt rains.\n</assistant>\n\n<user>\nSure?\n</user>',
    );
  });

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
      'tool calls and their results in words, as no tool can be called',
      [
        { role: 'assistant', text: 'Let me see.', toolCalls: calls },
        { role: 'tool', callId: 'call-1', text: '21 °C' },
        { role: 'tool', callId: 'unknown', text: 'x' },
      ],
      '<assistant>\nLet me see.\nI used get_weather with {"city":"Paris"}.\nI used now with {}.\n</assistant>\n\n' +
        '<result>\nThe result of get_weather with {"city":"Paris"}:\n21 °C\n</result>\n\n<result>\nA result:\nx\n</result>',
    ],
  ])('writes %s', (_name, messages: TurnMessage[], text) => {
    expect(behindPreamble(messages)).toBe(text);
  });

  it.each<[string, TurnMessage[], string]>([
    ['a lone user message', [{ role: 'user', text: 'hello', attachments: [] }], 'hello\n\nIn JSON.'],
    ['a conversation', [{ role: 'system', text: 'S' }], '<system>\nS\n</system>\n\nIn JSON.'],
  ])('puts the closing words behind %s', (_name, messages: TurnMessage[], ending) => {
    expect(flattenMessages(messages, { closing: 'In JSON.' }).endsWith(ending)).toBe(true);
  });
});

const weather = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
};
const now = { name: 'now', parameters: {}, strict: false };

describe('tools in the prompt', () => {
  const user: TurnMessage = { role: 'user', text: 'Weather?', attachments: [] };
  const options = { tools: [weather, now] };

  it('stand behind the conversation, and by name before it', () => {
    const text = flattenMessages([user], options);
    const [before, behind] = text.split('<user>\nWeather?\n</user>');
    expect(before).toContain('You can call these tools: get_weather, now.');
    expect(before).not.toContain('The weather of a city.');
    expect(behind).toContain(
      '<tool name="get_weather">\nThe weather of a city.\nJSON Schema of the arguments: {"type":"object","properties":{"city":{"type":"string"}}}\n</tool>',
    );
    expect(behind).toContain(
      '<tool_calls>\n<tool_call name="NAME"><![CDATA[{"argument":"value"}]]></tool_call>\n</tool_calls>',
    );
    expect(behind).toContain('write ]]> as ]]\\u003e');
  });

  it('leave no trace when none may be called', () => {
    const none = { ...options, toolChoice: { mode: 'none' } } as const;
    expect(flattenMessages([user], none)).toBe('Weather?');
    expect(flattenMessages([user, { role: 'assistant', text: 'x', toolCalls: calls }, user], none)).not.toMatch(
      /tool_|CDATA|You can call/,
    );
  });

  it.each<[FlattenOptions, string, string | undefined]>([
    [{ toolChoice: { mode: 'auto' } }, 'Call a tool when it helps', undefined],
    [{ toolChoice: { mode: 'required' } }, 'This reply must call at least one tool.', undefined],
    [{ toolChoice: { mode: 'required', tools: ['now'] } }, 'This reply must call now.', 'get_weather'],
    [{ toolChoice: { mode: 'auto', tools: ['get_weather'] } }, 'NAME is one of: get_weather.', 'name="now"'],
    [{ parallelToolCalls: false }, 'Write one call only.', 'same block'],
    [{ parallelToolCalls: true }, 'same block', 'Write one call only.'],
  ])('say what %j asks for', (choice, said, unsaid) => {
    const text = flattenMessages([user], { ...options, ...choice });
    expect(text).toContain(said);
    if (unsaid !== undefined) expect(text).not.toContain(unsaid);
  });

  it('come with earlier calls in the same form and results paired by id, none of which can end its element', () => {
    const text = flattenMessages(
      [
        user,
        {
          role: 'assistant',
          text: 'Let me see.',
          toolCalls: [{ callId: 'call-"2"', name: 'get_weather', argumentsText: '{"city":"]]>"}' }],
        },
        { role: 'tool', callId: 'call-"2"', text: 'a]]></tool_result>' },
        { role: 'tool', callId: 'unknown', text: '' },
      ],
      options,
    );
    expect(text).toContain(
      '<assistant>\nLet me see.\n<tool_calls>\n<tool_call id="call-&quot;2&quot;" name="get_weather"><![CDATA[{"city":"]]\\u003e"}]]></tool_call>\n</tool_calls>\n</assistant>\n\n' +
        '<tool_result id="call-&quot;2&quot;" name="get_weather"><![CDATA[a]]]]><![CDATA[></tool_result>]]></tool_result>\n\n' +
        '<tool_result id="unknown"><![CDATA[]]></tool_result>',
    );
  });

  it('come with a note when the same call keeps coming back', () => {
    const round: TurnMessage[] = [
      { role: 'assistant', text: '', toolCalls: [{ callId: 'a', name: 'now', argumentsText: '{}' }] },
      { role: 'tool', callId: 'a', text: '12:00' },
    ];
    expect(flattenMessages([user, ...round], options)).not.toContain('Note:');
    expect(flattenMessages([user, ...round, ...round], options)).toContain(
      'Note: the last 2 replies all called now with {}',
    );
  });

  it('come before the closing word, which also a lone message gets', () => {
    expect(flattenMessages([user], { ...options, closing: 'As JSON.' })).toMatch(/\n\nAs JSON\.$/);
    expect(flattenMessages([user], { closing: 'As JSON.' })).toBe('Weather?\n\nAs JSON.');
  });

  it('replies to the user, also where the system has the last word', () => {
    const user: TurnMessage = { role: 'user', text: 'Hi', attachments: [] };
    const system: TurnMessage = { role: 'system', text: 'It is May.' };
    expect(flattenMessages([system, user])).toContain('Reply to the last message as the assistant');
    expect(flattenMessages([user, system])).toContain('Reply to the last message that is not from the system');
  });
});
