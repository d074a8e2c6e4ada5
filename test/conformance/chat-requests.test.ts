import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askWhole, postChat, scenario, type ChatAnswer, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

/** What the web backend got for the last turn. */
interface Received {
  readonly signature_prompt: string;
  readonly features: Readonly<Record<string, unknown>>;
}

const weather = {
  type: 'function',
  function: { name: 'get_weather', description: 'Weather of a city.', parameters: { type: 'object', properties: {} } },
};
const legacy = { functions: [weather.function] };

describe('requests of chat completions', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.close());

  const turns = () => stack.upstream.log.filter(({ path }) => path.endsWith('/completions'));
  const received = (): Received => turns().at(-1)!.body as Received;
  const ask = (messages: readonly unknown[], fields: Readonly<Record<string, unknown>> = {}): Promise<ChatAnswer> =>
    askWhole(stack.url, '', { body: { messages, ...fields } });

  it.each([
    ['messages', { messages: undefined }],
    ['messages', { messages: null }],
    ['messages', { messages: [] }],
    ['messages', { messages: { role: 'user', content: 'hi' } }],
    ['tools[0].function.name', { tools: [{ type: 'function', function: { name: 'a b' } }] }],
    ['n', { n: 0 }],
    ['temperature', { temperature: 2.1 }],
    ['logprobs', { logprobs: true }],
    ['modalities', { modalities: ['audio'] }],
    ['messages[0].content[0]', { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] }],
  ])('C04, C05, C07, C11: a fault is named with its place and all four keys: %s %j', async (param, fields) => {
    const before = turns().length;
    const response = await postChat(stack.url, 'hi', { body: fields });
    const { error } = (await response.json()) as ErrorBody;
    expect(response.status).toBe(400);
    expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
    expect(error.param).toBe(param);
    expect(turns()).toHaveLength(before);
  });

  it('C07: the harmless forms of what is refused pass', async () => {
    const fields = { n: 1, logprobs: false, top_logprobs: 0, modalities: ['text'], audio: null };
    expect((await ask([{ role: 'user', content: 'hi' }], fields)).choices[0]!.finish_reason).toBe('stop');
  });

  it('C03: fields that nobody knows are named and change nothing', async () => {
    const unknown = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`unknown_${index}`, { deep: [index] }]),
    );
    const body = {
      ...unknown,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', odd_part: 1 }], odd_message: 1 }],
      tools: [{ ...weather, odd_tool: 1 }, { type: 'hosted_thing' }],
    };
    const response = await postChat(stack.url, '', { body });
    expect(response.status).toBe(200);
    const ignored = response.headers.get('x-gateway-ignored-params')!.split(',');
    for (const field of [
      'unknown_0',
      'unknown_19',
      'messages[].odd_message',
      'messages[].content[].odd_part',
      'tools[].odd_tool',
    ])
      expect(ignored).toContain(field);
    await response.text();
  });

  it.each([131_072, 10_000_000])('C09: %d tokens are more than any model gives, and no fault', async (max_tokens) => {
    expect((await ask([{ role: 'user', content: 'hi' }], { max_tokens })).choices[0]!.finish_reason).toBe('stop');
  });

  it('C12: developer and system are the same, in order, as text or parts', async () => {
    await ask([
      { role: 'system', content: 'First rule.' },
      { role: 'developer', content: [{ type: 'text', text: 'Second rule.' }] },
      { role: 'user', content: 'hi' },
    ]);
    const prompt = received().signature_prompt;
    expect(prompt.indexOf('First rule.')).toBeGreaterThan(-1);
    expect(prompt.indexOf('Second rule.')).toBeGreaterThan(prompt.indexOf('First rule.'));
  });

  it('C13: a call and its result arrive paired by id', async () => {
    const call = { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome"}' } };
    await ask(
      [
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_a', content: '{"sky":"clear"}' },
      ],
      { tools: [weather] },
    );
    const prompt = received().signature_prompt;
    expect(prompt).toContain('{"city":"Rome"}');
    expect(prompt).toMatch(/<tool_result id="call_a" name="get_weather">.*\{"sky":"clear"\}/s);
  });

  it.each([
    [
      'an orphan tool message',
      [
        { role: 'user', content: 'hi' },
        { role: 'tool', tool_call_id: 'gone', content: 'x' },
      ],
    ],
    [
      'two users in a row',
      [
        { role: 'user', content: 'one' },
        { role: 'user', content: 'two' },
      ],
    ],
    [
      'an assistant at the end',
      [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'Well,' },
      ],
    ],
    ['no user at all', [{ role: 'system', content: 'Say hi.' }]],
    ['an empty user', [{ role: 'user', content: [] }]],
  ])('C14: %s is answered', async (_what, messages) => {
    expect((await ask(messages)).choices[0]!.message.role).toBe('assistant');
  });

  it('C30: a call without arguments has an empty object', async () => {
    const prompt = scenario('tool-call-xml arguments={}');
    const answer = await ask([{ role: 'user', content: prompt }], { tools: [weather] });
    expect(answer.choices[0]!.message).toMatchObject({ tool_calls: [{ function: { arguments: '{}' } }] });
  });

  it.each([{ thinking: { type: 'disabled' } }, { reasoning_effort: 'none' }, { enable_thinking: false }])(
    'C34: %j switches thinking off, up there and in the answer',
    async (fields) => {
      const answer = await ask([{ role: 'user', content: 'hi' }], { model: 'glm-4.7', ...fields });
      expect(received().features['enable_thinking']).toBe(false);
      expect(answer.choices[0]!.message).not.toHaveProperty('reasoning_content');
    },
  );

  it.each([true, false])('C40: functions of old are answered in their own shape (stream: %s)', async (stream) => {
    const prompt = scenario('tool-call-xml');
    const response = await postChat(stack.url, prompt, { body: { ...legacy, stream } });
    const text = await response.text();
    expect(text).toContain('"function_call":{"name":"get_weather"');
    expect(text).toContain('"finish_reason":"function_call"');
    expect(text).not.toContain('tool_calls');
  });
});

describe('stop sequences', () => {
  it.each([
    ['the earliest ends the answer, and is not part of it', ['You', 'GLM.'], 'Hello from ', 'stop'],
    ['one that only began is delivered', ['hi?'], 'Hello from GLM. You said: hi', 'stop'],
  ])('C33: %s', async (_what, stop, said, reason) => {
    await using stack = await startStack();
    for (const name of ['plain', 'byte-by-byte']) {
      const stream = await openStream(stack.url, scenario(name), { body: { stop } });
      const { text, finishReasons } = joinChunks(chunksOf(await stream.rest()));
      expect([text, finishReasons]).toEqual([said, [reason]]);
    }
    await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 5_000 });
  });
});
