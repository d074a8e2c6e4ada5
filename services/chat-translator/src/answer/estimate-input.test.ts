import { expect, it } from '@jest/globals';
import type { TurnMessage, TurnRequest } from '@zai2api/turn';
import { estimateTokens } from '../estimate-tokens.ts';
import { estimateInput } from './estimate-input.ts';

const request = (messages: readonly TurnMessage[], tools: TurnRequest['tools'] = []): TurnRequest => ({
  model: 'm',
  messages,
  reasoning: { visible: true },
  tools,
  toolChoice: { mode: 'auto' },
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sampling: { stop: [] },
});
const count = (...asked: Parameters<typeof request>): number => estimateInput(request(...asked), estimateTokens);
const user = (text: string, kinds: readonly ('image' | 'document')[] = []): TurnMessage => ({
  role: 'user',
  text,
  attachments: kinds.map((kind) => ({ kind, source: { type: 'url', url: 'https://a.example/b' }, param: 'p' })),
});

it('grows with everything that is sent', () => {
  const parts: TurnMessage[] = [
    { role: 'system', text: 'Be terse.' },
    user('Hello there'),
    user('', ['image']),
    user('', ['document']),
    { role: 'assistant', text: 'Hi.', toolCalls: [] },
    { role: 'assistant', text: '', toolCalls: [], reasoning: 'A greeting.' },
    { role: 'assistant', text: '', toolCalls: [{ callId: 'a', name: 'look', argumentsText: '{"at":"it"}' }] },
    { role: 'tool', callId: 'a', text: 'Nothing there.' },
    {
      role: 'tool',
      callId: 'a',
      text: '',
      attachments: [{ kind: 'image', source: { type: 'url', url: 'https://a.example/b' }, param: 'p' }],
    },
  ];
  const counts = parts.map((_, index) => count(parts.slice(0, index + 1)));
  const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false }];
  counts.push(count(parts, tools), count(parts, [...tools, ...tools]));
  for (const [index, tokens] of counts.entries()) expect(tokens).toBeGreaterThan(counts[index - 1] ?? 0);
});

it('M20: grows with the length of a text, also where it is judged by samples', () => {
  let last = 0;
  for (let length = 1; length < 400_000; length = Math.ceil(length * 1.3)) {
    const tokens = count([user('The quick brown fox. '.repeat(Math.ceil(length / 21)))]);
    expect(tokens).toBeGreaterThanOrEqual(last);
    last = tokens;
  }
});
