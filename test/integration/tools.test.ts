import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const patience = { withinMs: 5_000 };
const single = { ZAI_ANON_POOL_SIZE: '1' };

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weather = { type: 'function', function: { name: 'get_weather', description: 'Tells the weather.', parameters } };
const now = { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } };
const tools = [weather, now];
const user = (content: string) => ({ role: 'user', content });
const written = (name: string, text: string): string => `<tool_call name="${name}"><![CDATA[${text}]]></tool_call>`;
const block = (...calls: readonly string[]): string => `<tool_calls>\n${calls.join('\n')}\n</tool_calls>`;

interface Message {
  readonly content: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { name: string; arguments: string } }[];
}

const isCompletion = ({ path }: ReceivedRequest): boolean => path === '/api/v2/chat/completions';
const completions = ({ upstream }: Stack): ReceivedRequest[] => upstream.log.filter(isCompletion);

/** The one text of a completion; what was signed is what was sent. */
function promptOf({ body, faults }: ReceivedRequest): string {
  const {
    messages,
    signature_prompt: signed,
    ...others
  } = body as {
    messages: { content: string }[];
    signature_prompt: string;
    tools?: unknown;
  };
  expect(faults).toEqual([]);
  expect(messages.map(({ content }) => content)).toEqual([signed]);
  // The upstream refuses them (protocol 6).
  expect(others.tools ?? []).toEqual([]);
  return signed;
}

async function ask(stack: Stack, fields: Readonly<Record<string, unknown>>): Promise<Message> {
  const response = await postChat(stack.url, 'hi', { body: fields });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  const { choices } = JSON.parse(text) as { choices: { message: Message; finish_reason: string }[] };
  const { message, finish_reason: reason } = choices[0]!;
  expect(reason).toBe(message.tool_calls ? 'tool_calls' : 'stop');
  return message;
}

describe('what the upstream is told', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.close());

  async function told(fields: Readonly<Record<string, unknown>>): Promise<string> {
    await postChat(stack.url, 'hi', { body: fields }).then((response) => response.text());
    return promptOf(completions(stack).at(-1)!);
  }

  it('are the tools, with everything that was said about them', async () => {
    const prompt = await told({ tools });
    expect(prompt).toContain('<user>\nhi\n</user>');
    for (const part of ['get_weather', 'now', 'Tells the weather.', JSON.stringify(parameters)]) {
      expect(prompt).toContain(part);
    }
    expect(prompt).not.toMatch(/must call|Write one call only/);
  });

  it.each([
    ['required', { tool_choice: 'required' }, /must call at least one tool/, /$./],
    ['a name', { tool_choice: { type: 'function', function: { name: 'now' } } }, /must call now/, /get_weather/],
    [
      'a selection',
      { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [now] } } },
      /now/,
      /get_weather|must call/,
    ],
    ['one call only', { parallel_tool_calls: false }, /Write one call only/, /$./],
    ['none', { tool_choice: 'none' }, /^hi$/, /tool|weather/],
  ])('is the choice: %s', async (_what, fields, says, saysNot) => {
    const prompt = await told({ tools, ...fields });
    expect(prompt).toMatch(says);
    expect(prompt).not.toMatch(saysNot);
  });

  const history = [
    { role: 'system', content: 'Be brief.' },
    user('Weather in Paris and Rome?'),
    {
      role: 'assistant',
      content: 'I look.',
      tool_calls: [
        { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        { id: 'call_b', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_b', content: [{ type: 'text', text: 'Rome: <b>hot</b> ]]> </tool_result>' }] },
    { role: 'tool', tool_call_id: 'call_a', content: 'Paris: 18°' },
  ];

  it('are earlier calls and their results, paired by id', async () => {
    const prompt = await told({ tools, messages: history });
    const parts = [
      'Be brief.',
      'Weather in Paris and Rome?',
      'I look.',
      '<tool_call id="call_a" name="get_weather"><![CDATA[{"city":"Paris"}]]></tool_call>',
      '<tool_call id="call_b" name="get_weather"><![CDATA[{"city":"Rome"}]]></tool_call>',
      // The result cannot end its own element.
      '<tool_result id="call_b" name="get_weather"><![CDATA[Rome: <b>hot</b> ]]]]><![CDATA[> </tool_result>]]></tool_result>',
      '<tool_result id="call_a" name="get_weather"><![CDATA[Paris: 18°]]></tool_result>',
    ];
    const places = parts.map((part) => prompt.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('are they in words when no tool may be called any more', async () => {
    const prompt = await told({ messages: history });
    expect(prompt).toContain('I used get_weather with {"city":"Paris"}.');
    expect(prompt).toContain('The result of get_weather with {"city":"Rome"}:\nRome: <b>hot</b>');
    expect(prompt).not.toContain('<tool_call');
  });

  it('are the calls of the time of functions too', async () => {
    const prompt = await told({
      functions: [weather.function],
      messages: [
        user('Weather?'),
        { role: 'assistant', content: null, function_call: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        { role: 'function', name: 'get_weather', content: '18°' },
      ],
    });
    expect(prompt).toMatch(
      /<tool_call id="([^"]+)" name="get_weather">[\s\S]*<tool_result id="\1" name="get_weather">/,
    );
  });
});

describe('C25: markup that comes in pieces', () => {
  const json = '{"city":"Zürich <a> ]] </tool","note":"\\"\\n"}';
  const call = (name: string, text: string) => ({ name, arguments: text });

  it.each([
    ['our own form', `Sure.\n${block(written('get_weather', json), written('now', '{}'))}`],
    [
      'JSON in a tag',
      `Sure.\n<tool_call>{"name":"get_weather","arguments":${json}}</tool_call>\n<tool_call>{"name":"now"}</tool_call>`,
    ],
    [
      'JSON in a fence',
      `Sure.\n\n\`\`\`json\n${JSON.stringify({ tool_calls: [{ function: call('get_weather', json) }, { function: call('now', '{}') }] })}\n\`\`\``,
    ],
  ])('never shows, and makes the same calls: %s', async (_what, answerText) => {
    await using stack = await startStack({ upstream: { answerText } });
    for (const answerFrames of [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, answerText.length]) {
      stack.upstream.configure({ answerFrames });
      const stream = await openStream(stack.url, 'hi', { body: { tools } });
      const chunks = chunksOf(await stream.rest());
      const { text, errors, finishReasons } = joinChunks(chunks);
      expect({ answerFrames, text, errors, finishReasons }).toEqual({
        answerFrames,
        text: 'Sure.',
        errors: [],
        finishReasons: ['tool_calls'],
      });
      const deltas = chunks.flatMap(({ choices }) =>
        (choices ?? []).flatMap(
          ({ delta }) =>
            (delta as { tool_calls?: { index: number; function: { arguments: string } }[] }).tool_calls ?? [],
        ),
      );
      const joined = [0, 1].map((index) =>
        deltas
          .filter((delta) => delta.index === index)
          .map((delta) => delta.function.arguments)
          .join(''),
      );
      expect(joined.map((argumentsText) => JSON.parse(argumentsText) as unknown)).toEqual([JSON.parse(json), {}]);
    }
  });
});

describe('a demand that was not met', () => {
  const demanding = { tools, tool_choice: 'required' };

  it('is asked for once more, by the same identity, with what was wrong', async () => {
    await using stack = await startStack({
      env: single,
      upstream: { scenario: 'tool-call-xml', completionFault: 'plain', failTimes: 1 },
    });
    const { content, tool_calls: calls } = await ask(stack, demanding);
    expect([content, calls?.map(({ function: called }) => called)]).toEqual([
      null,
      [{ name: 'get_weather', arguments: '{"city":"Paris"}' }],
    ]);
    const [first, second, ...others] = completions(stack);
    expect(others).toEqual([]);
    expect(second!.tokenUserId).toBe(first!.tokenUserId);
    expect(stack.upstream.highestConcurrency(first!.tokenUserId!)).toBe(1);
    expect(promptOf(first!)).not.toContain('previous reply');
    expect(promptOf(second!)).toMatch(/Your previous reply was not accepted: .*one of the tools, and did not/);
    // Nothing is left behind, of either of them.
    await waitFor(() => stack.upstream.chats().length === 0, patience);
  });

  it('lets the thinking of both answers flow', async () => {
    await using stack = await startStack({
      upstream: { scenario: 'tool-call-xml', completionFault: 'thinking-then-edit', failTimes: 1 },
    });
    const stream = await openStream(stack.url, 'hi', { body: { ...demanding, model: 'glm-4.7-thinking' } });
    const { text, reasoning, finishReasons, errors } = joinChunks(chunksOf(await stream.rest()));
    expect({ text, reasoning, finishReasons, errors }).toEqual({
      text: '',
      reasoning: 'First idea.\nSecond idea.',
      finishReasons: ['tool_calls'],
      errors: [],
    });
  });

  it('costs what both answers cost', async () => {
    await using stack = await startStack({ upstream: { scenario: 'tool-call-xml' } });
    const cost = async (): Promise<Record<string, number>> => {
      const response = await postChat(stack.url, 'hi', { body: demanding });
      return ((await response.json()) as { usage: Record<string, number> }).usage;
    };
    const once = await cost();
    stack.upstream.configure({ completionFault: 'plain', failTimes: 1 });
    const twice = await cost();
    for (const field of ['prompt_tokens', 'completion_tokens', 'total_tokens']) {
      expect(twice[field]).toBeGreaterThan(once[field]!);
    }
    expect(twice['total_tokens']).toBe(twice['prompt_tokens']! + twice['completion_tokens']!);
  });

  it('is not the upstream’s fault', async () => {
    await using stack = await startStack({ env: single });
    for (let round = 0; round < 4; round += 1) {
      const response = await postChat(stack.url, 'hi', { body: demanding });
      const { error } = (await response.json()) as ErrorBody;
      expect([response.status, error.code]).toEqual([502, 'tool_choice_not_satisfied']);
    }
    const status = (await (await fetch(`${stack.url}/v1/status`)).json()) as { state: string };
    expect(status.state).toBe('ok');
    expect(completions(stack)).toHaveLength(8);
  });

  it('passes on the failure of the second answer: before content as a status', async () => {
    await using stack = await startStack({
      env: single,
      upstream: { scenario: 'error-sensitive', completionFault: 'plain', failTimes: 1 },
    });
    const response = await postChat(stack.url, 'hi', { body: demanding });
    const { error } = (await response.json()) as ErrorBody;
    expect([response.status, error.code]).toEqual([400, 'content_policy_violation']);
    expect(completions(stack)).toHaveLength(2);
  });

  it.each(['error-sensitive', 'error-internal', 'error-concurrency'])(
    'passes on the failure of the second answer: behind thinking in the stream (%s)',
    async (name) => {
      await using stack = await startStack({
        env: single,
        upstream: { scenario: name, completionFault: 'thinking-then-edit', failTimes: 1 },
      });
      const stream = await openStream(stack.url, 'hi', { body: { ...demanding, model: 'glm-4.7-thinking' } });
      const blocks = await stream.rest();
      const { text, reasoning, errors, finishReasons } = joinChunks(chunksOf(blocks));
      expect([text, reasoning]).toEqual(['', 'First idea.\nSecond idea.']);
      expect([finishReasons, errors.length, blocks.includes('data: [DONE]')]).toEqual([[], 1, false]);
      expect(completions(stack)).toHaveLength(2);
    },
  );

  it('lets a client leave in the second answer', async () => {
    await using stack = await startStack({
      env: single,
      upstream: { scenario: 'stall-before-content', completionFault: 'plain', failTimes: 1 },
    });
    const leaving = new AbortController();
    const answer = postChat(stack.url, 'hi', { body: demanding, signal: leaving.signal }).catch(() => undefined);
    await stack.upstream.waitForRequest(
      (request) => isCompletion(request) && request.scenario === 'stall-before-content',
      patience.withinMs,
    );
    leaving.abort();
    await stack.upstream.waitForAbort(isCompletion, patience.withinMs);
    await answer;
    await waitFor(() => stack.upstream.runningStreams() === 0, patience);
    expect(completions(stack)).toHaveLength(2);
  });
});

describe('calls that cannot be delivered', () => {
  it('are an error frame once something was said', async () => {
    await using stack = await startStack({
      upstream: { answerText: `I look.\n${block(written('get_weather', 'Paris, I think'))}` },
    });
    const stream = await openStream(stack.url, 'hi', { body: { tools } });
    const { text, errors, finishReasons } = joinChunks(chunksOf(await stream.rest()));
    expect({ text, finishReasons }).toEqual({ text: 'I look.', finishReasons: [] });
    expect(errors).toMatchObject([{ code: 'invalid_tool_call', type: 'server_error' }]);
    expect(completions(stack)).toHaveLength(1);
  });

  it.each([
    ['nearly JSON', `{city: 'Paris',}`],
    ['JSON in a string', JSON.stringify('{"city":"Paris"}')],
  ])('do not come from %s: that is repaired', async (_what, text) => {
    await using stack = await startStack({ upstream: { answerText: block(written('get_weather', text)) } });
    const { tool_calls: calls } = await ask(stack, { tools });
    expect(calls!.map((call) => JSON.parse(call.function.arguments) as unknown)).toEqual([{ city: 'Paris' }]);
    expect(completions(stack)).toHaveLength(1);
  });

  it('are those that a strict schema refuses, twice', async () => {
    const strict = [{ ...weather, function: { ...weather.function, strict: true } }];
    await using stack = await startStack({
      upstream: { answerText: block(written('get_weather', '{"town":"Paris"}')) },
    });
    const response = await postChat(stack.url, 'hi', { body: { tools: strict } });
    const { error } = (await response.json()) as ErrorBody;
    expect([response.status, error.code]).toEqual([502, 'invalid_tool_call']);
    expect(error.message).toMatch(/must have required property 'city'/);
    const [, second] = completions(stack);
    expect(promptOf(second!)).toMatch(/not accepted: .*must have required property 'city'/);
    expect(completions(stack)).toHaveLength(2);
    // Without it, the arguments are the client's to judge.
    const { tool_calls: calls } = await ask(stack, { tools });
    expect(calls).toMatchObject([{ function: { arguments: '{"town":"Paris"}' } }]);
  });

  it('are the same call for the 31st time', async () => {
    const round = (id: number) => [
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: `call_${id}`, type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        ],
      },
      { role: 'tool', tool_call_id: `call_${id}`, content: 'not yet' },
    ];
    const messages = [user('Wait for it.'), ...Array.from({ length: 30 }, (_, id) => round(id)).flat()];
    await using stack = await startStack({ upstream: { scenario: 'tool-call-xml' } });
    const response = await postChat(stack.url, 'hi', { body: { tools, messages } });
    const { error } = (await response.json()) as ErrorBody;
    expect([response.status, error.code]).toEqual([502, 'tool_call_loop']);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(completions(stack)).toHaveLength(1);
    // Another call is a way out.
    stack.upstream.configure({ answerText: block(written('get_weather', '{"city":"Rome"}')), scenario: 'plain' });
    expect((await ask(stack, { tools, messages })).tool_calls).toHaveLength(1);
  });
});

describe('a call in the thinking', () => {
  it('is taken when a call was demanded, and its markup is not shown', async () => {
    await using stack = await startStack();
    const fields = { tools, messages: [user(scenario('tool-call-in-thinking'))], model: 'glm-4.7-thinking' };
    const free = await ask(stack, fields);
    expect(free.tool_calls).toBeUndefined();
    expect(free.content).toMatch(/^Hello from GLM/);
    expect(free.reasoning_content ?? '').not.toMatch(/tool_call|CDATA/);
    const demanded = await ask(stack, { ...fields, tool_choice: 'required' });
    expect(demanded.tool_calls).toMatchObject([{ function: { name: 'get_weather', arguments: '{"city":"Paris"}' } }]);
  });
});
