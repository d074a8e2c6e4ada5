import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import OpenAI, { type APIError, BadRequestError, InternalServerError } from 'openai';
import { LengthFinishReasonError } from 'openai/core/error';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { scenario } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

/** For whole answers and for streams: which one it is stands beside it. */
type Params = Omit<OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming, 'stream'>;
type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;
type CallDelta = NonNullable<Chunk['choices'][number]['delta']['tool_calls']>[number];

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weather = { type: 'function' as const, function: { name: 'get_weather', description: 'Weather.', parameters } };
const now = { type: 'function' as const, function: { name: 'now', parameters: { type: 'object', properties: {} } } };

const request = (prompt: string, fields: Partial<Params> = {}): Params => ({
  model: 'glm-4.7-nothinking',
  messages: [{ role: 'user', content: prompt }],
  tools: [weather, now],
  ...fields,
});

/** Our own form, as the model is asked to write it. */
const written = (...calls: readonly (readonly [name: string, argumentsText: string])[]): string =>
  [
    '<tool_calls>',
    ...calls.map(([name, text]) => `<tool_call name="${name}"><![CDATA[${text}]]></tool_call>`),
    '</tool_calls>',
  ].join('\n');
const paris = ['get_weather', '{"city":"Paris"}'] as const;
const rome = ['get_weather', '{"city":"Rome"}'] as const;

let stack: Stack;
let client: OpenAI;
let sent: number;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(() => {
  stack.upstream.configure({
    answerText: null,
    answerFrames: 6,
    scenario: 'plain',
    completionFault: null,
    failTimes: null,
  });
  sent = 0;
  client = new OpenAI({
    baseURL: `${stack.url}/v1`,
    apiKey: 'any',
    // The client's own default: what must not be tried again must say so.
    maxRetries: 2,
    fetch: (...call) => {
      sent += 1;
      return fetch(...call);
    },
  });
});

const completions = () => stack.upstream.log.filter(({ path }) => path === '/api/v2/chat/completions');
/** The one text that the upstream got, which is the signed one. */
const promptOf = ({ body }: ReceivedRequest): string => {
  const { messages, signature_prompt: signed } = body as { messages: { content: string }[]; signature_prompt: string };
  expect(messages.map(({ content }) => content)).toEqual([signed]);
  return signed;
};
/** How many completions the upstream got while this ran; what is signed is what is sent, for each of them. */
async function asked(act: () => Promise<unknown>): Promise<number> {
  const before = completions().length;
  await act();
  const seen = completions().slice(before);
  for (const { faults } of seen) expect(faults).toEqual([]);
  return seen.length;
}

const namedCalls = (calls: readonly OpenAI.Chat.Completions.ChatCompletionMessageToolCall[] = []): string[][] =>
  calls.map((call) => (call.type === 'function' ? [call.function.name, call.function.arguments] : []));

/** What a client sees of one answer, whole and streamed; both must be the same. */
async function callsOf(params: Params) {
  const { choices } = await client.chat.completions.create(params);
  const { message, finish_reason: finishReason } = choices[0]!;
  const whole = {
    content: message.content,
    calls: namedCalls(message.tool_calls),
    finishReason,
  };
  const folded = await client.chat.completions.stream(params).finalChatCompletion();
  const streamed = folded.choices[0]!;
  expect({
    content: streamed.message.content,
    calls: namedCalls(streamed.message.tool_calls),
    finishReason: streamed.finish_reason,
  }).toEqual(whole);
  return whole;
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );

describe('tool calls', () => {
  it.each([
    ['a glm_block behind text', 'tool-call-glm-block', 'I will look.'],
    ['a glm_block of a function', 'tool-call-glm-function', null],
    ['native deltas', 'tool-call-delta', null],
    ['a native list', 'tool-call-list', null],
    ['XML', 'tool-call-xml', null],
    ['XML behind text', 'tool-call-xml-after-text', 'I will look.'],
    ['JSON in a tag', 'tool-call-tag-json', null],
    ['JSON in a fence', 'tool-call-json', null],
    ['JSON in the text', 'tool-call-json-inline', null],
    ['XML that broke off', 'tool-call-broken', null],
  ])('from %s', async (_what, name, content) => {
    expect(await callsOf(request(scenario(name)))).toEqual({ content, calls: [paris], finishReason: 'tool_calls' });
  });

  it.each([
    ['one', written(paris), null, [paris]],
    ['two', written(paris, rome), null, [paris, rome]],
    [
      'of several tools, behind text',
      `I will look.\n\n${written(paris, ['now', '{}'])}`,
      'I will look.',
      [paris, ['now', '{}']],
    ],
    ['without arguments', written(['now', '']), null, [['now', '{}']]],
    ['in a fence', `\`\`\`xml\n${written(paris)}\n\`\`\``, null, [paris]],
  ])('in our own form: %s', async (_what, answerText, content, calls) => {
    stack.upstream.configure({ answerText });
    expect(await callsOf(request('hi'))).toEqual({ content, calls, finishReason: 'tool_calls' });
  });

  it('C24: stream with index, id, type and name once, then arguments', async () => {
    const text = JSON.stringify({ city: 'São "Paulo" ]]> </tool_call> 🚀', days: [1, 2, 3] });
    stack.upstream.configure({
      answerText: `I will look. ${written(['get_weather', text], ['now', '{}'])}`,
      answerFrames: 40,
    });
    const chunks: Chunk[] = [];
    for await (const chunk of await client.chat.completions.create({ ...request('hi'), stream: true }))
      chunks.push(chunk);
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
    // One kind in a chunk, one entry in a list.
    const calls: CallDelta[] = [];
    for (const delta of deltas.slice(1, -1)) {
      expect(Object.keys(delta)).toHaveLength(1);
      if (delta.tool_calls) expect(delta.tool_calls).toHaveLength(1);
      calls.push(...(delta.tool_calls ?? []));
    }
    const heads = calls.filter(({ id }) => id !== undefined);
    expect(heads).toEqual([
      { index: 0, id: expect.any(String), type: 'function', function: { name: 'get_weather', arguments: '' } },
      { index: 1, id: expect.any(String), type: 'function', function: { name: 'now', arguments: '' } },
    ]);
    expect(new Set(heads.map(({ id }) => id)).size).toBe(2);
    for (const { id } of heads) expect(id).toMatch(/^call_[A-Za-z0-9_]{1,35}$/);
    for (const call of calls.filter(({ id }) => id === undefined)) {
      expect(call).toEqual({ index: expect.any(Number), function: { arguments: expect.any(String) } });
    }
    // One after the other, and as they come.
    const indices = calls.map(({ index }) => index);
    expect(indices).toEqual([...indices].sort((a, b) => a - b));
    const pieces = calls.filter(({ index }) => index === 0).map((call) => call.function?.arguments ?? '');
    expect(JSON.parse(pieces.join(''))).toEqual(JSON.parse(text));
    expect(pieces.length).toBeGreaterThan(3);
    expect(deltas.map(({ content }) => content ?? '').join('')).toBe('I will look.');
    expect(chunks.at(-1)!.choices[0]).toMatchObject({ delta: {}, finish_reason: 'tool_calls' });
  });

  it('build up in the snapshot of the stream helper', async () => {
    stack.upstream.configure({ answerText: written(paris, rome), answerFrames: 40 });
    const stream = client.chat.completions.stream(request('hi'));
    const seen: { index: number; name: string; text: string }[] = [];
    const done: unknown[] = [];
    stream.on('tool_calls.function.arguments.delta', ({ index, name, arguments: text }) =>
      seen.push({ index, name, text }),
    );
    stream.on('tool_calls.function.arguments.done', ({ index, name, arguments: text }) =>
      done.push({ index, name, text }),
    );
    const message = await stream.finalMessage();
    expect(done).toEqual([
      { index: 0, name: 'get_weather', text: paris[1] },
      { index: 1, name: 'get_weather', text: rome[1] },
    ]);
    for (const { index, name, text } of seen) {
      expect(name).toBe('get_weather');
      expect([paris, rome][index]![1].startsWith(text)).toBe(true);
    }
    expect(message.tool_calls).toHaveLength(2);
    expect((await stream.finalFunctionToolCall())?.arguments).toBe(rome[1]);
  });

  it('C26: are one when they may not be parallel', async () => {
    stack.upstream.configure({ answerText: written(paris, rome) });
    expect((await callsOf(request('hi', { parallel_tool_calls: false }))).calls).toEqual([paris]);
  });

  it('have the legacy shape when they were asked for so', async () => {
    stack.upstream.configure({ answerText: written(paris, rome) });
    const functions = [{ name: 'get_weather', parameters }];
    const legacy = { model: 'glm-4.7-nothinking', messages: [{ role: 'user' as const, content: 'hi' }], functions };
    const { choices } = await client.chat.completions.create(legacy);
    expect(choices).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          function_call: { name: 'get_weather', arguments: paris[1] },
        },
        finish_reason: 'function_call',
        logprobs: null,
      },
    ]);
    const streamed = await client.chat.completions.stream(legacy).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({
      message: { content: null, function_call: { name: 'get_weather', arguments: paris[1] } },
      finish_reason: 'function_call',
    });
    const named = { ...legacy, function_call: { name: 'get_weather' } };
    expect((await client.chat.completions.create(named)).choices[0]!.finish_reason).toBe('function_call');
  });

  it('are parsed by the tools of zod, strict ones too', async () => {
    stack.upstream.configure({ answerText: written(paris) });
    const tool = zodFunction({ name: 'get_weather', parameters: z.object({ city: z.string() }) });
    const { choices } = await client.chat.completions.parse(request('hi', { tools: [tool] }));
    expect(choices[0]!.message.tool_calls?.[0]).toMatchObject({ function: { parsed_arguments: { city: 'Paris' } } });
  });
});

describe('a real tool loop', () => {
  it.each([false, true])('runs by the client’s own helper (stream: %s)', async (stream) => {
    stack.upstream.configure({ answerText: '18 degrees in both.' });
    const given: unknown[] = [];
    const tool = {
      type: 'function' as const,
      function: {
        name: 'get_weather',
        description: 'Weather.',
        parameters,
        parse: (text: string) => JSON.parse(text) as { city: string },
        function: (value: { city: string }) => {
          given.push(value);
          // The last marker counts: the next answer is the end.
          return `18 degrees in ${value.city} [[scenario:plain]]`;
        },
      },
    };
    const body = { ...request(scenario('tool-call-xml-two')), tools: [tool] };
    const seen = completions().length;
    const run = stream
      ? client.chat.completions.runTools({ ...body, stream: true })
      : client.chat.completions.runTools({ ...body, stream: false });
    expect(await run.finalContent()).toBe('18 degrees in both.');
    expect(given).toEqual([{ city: 'Paris' }, { city: 'Rome' }]);
    expect(run.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'assistant']);
    expect(sent).toBe(2);

    // What the model was told in the second round: the calls with their results, under the same ids.
    const [first, second] = completions().slice(seen);
    expect([first!.faults, second!.faults]).toEqual([[], []]);
    const prompt = promptOf(second!);
    const [, calling, ...results] = run.messages;
    const ids = (calling as { tool_calls: { id: string }[] }).tool_calls.map(({ id }) => id);
    expect(results.slice(0, 2)).toMatchObject(ids.map((id) => ({ role: 'tool', tool_call_id: id })));
    for (const [index, city] of ['Paris', 'Rome'].entries()) {
      expect(prompt).toContain(
        `<tool_call id="${ids[index]}" name="get_weather"><![CDATA[{"city":"${city}"}]]></tool_call>`,
      );
      expect(prompt).toMatch(
        new RegExp(`<tool_result id="${ids[index]}" name="get_weather"><!\\[CDATA\\[18 degrees in ${city}`),
      );
    }
  });
});

describe('the choice of a tool', () => {
  const named = { type: 'function' as const, function: { name: 'get_weather' } };

  it('C27: none shows no tools and delivers no call', async () => {
    const { choices } = await client.chat.completions.create(request(scenario('echo'), { tool_choice: 'none' }));
    const { prompt } = JSON.parse(choices[0]!.message.content!) as { prompt: string };
    expect(prompt).not.toMatch(/tool|get_weather/i);
    stack.upstream.configure({ answerText: `Sunny. ${written(paris)}` });
    expect(await callsOf(request('hi', { tool_choice: 'none' }))).toEqual({
      content: 'Sunny.',
      calls: [],
      finishReason: 'stop',
    });
  });

  it('auto takes text for an answer', async () => {
    const count = await asked(async () => {
      expect((await callsOf(request('hi', { tool_choice: 'auto' }))).finishReason).toBe('stop');
    });
    expect(count).toBe(2);
  });

  it.each([
    ['required', 'required' as const],
    ['named', named],
    ['allowed', { type: 'allowed_tools' as const, allowed_tools: { mode: 'required' as const, tools: [named] } }],
  ])('C28: %s asks once more, and takes the call', async (_what, toolChoice) => {
    for (const stream of [false, true]) {
      stack.upstream.configure({ answerText: null, scenario: 'tool-call-xml', completionFault: 'plain', failTimes: 1 });
      const count = await asked(async () => {
        const params = request('hi', { tool_choice: toolChoice });
        const { choices } = stream
          ? await client.chat.completions.stream(params).finalChatCompletion()
          : await client.chat.completions.create(params);
        expect(choices[0]).toMatchObject({
          message: { content: null, tool_calls: [{ function: { name: 'get_weather', arguments: paris[1] } }] },
          finish_reason: 'tool_calls',
        });
      });
      expect(count).toBe(2);
    }
  });

  it.each([false, true])(
    'C28: is an error that is not tried again when it is not met twice (stream: %s)',
    async (stream) => {
      const count = await asked(async () => {
        const params = { ...request('hi', { tool_choice: 'required' }), stream };
        const failure = await failureOf(client.chat.completions.create(params));
        expect(failure).toBeInstanceOf(InternalServerError);
        expect(failure).toMatchObject({
          status: 502,
          code: 'tool_choice_not_satisfied',
          type: 'server_error',
          param: null,
        });
        expect((failure as APIError).headers?.get('x-should-retry')).toBe('false');
      });
      expect([count, sent]).toEqual([2, 1]);
    },
  );

  it('may not be a call of another tool', async () => {
    stack.upstream.configure({ answerText: written(['now', '{}']) });
    const failure = await failureOf(client.chat.completions.create(request('hi', { tool_choice: named })));
    expect(failure).toMatchObject({ status: 502, code: 'tool_choice_not_satisfied' });
  });

  it('C29: a tool that nobody declared is never called', async () => {
    const count = await asked(async () => {
      const failure = await failureOf(client.chat.completions.create(request(scenario('tool-call-undeclared'))));
      expect(failure).toMatchObject({ status: 502, code: 'invalid_tool_call' });
    });
    expect([count, sent]).toEqual([2, 1]);
    stack.upstream.configure({ answerText: `Boom? ${written(['launch', '{}'], paris)}` });
    expect(await callsOf(request('hi'))).toEqual({ content: 'Boom?', calls: [paris], finishReason: 'tool_calls' });
  });

  it.each([
    ['tool-call-delta', 'empty_answer'],
    ['tool-call-list', 'empty_answer'],
    ['tool-call-glm-block', undefined],
    ['tool-call-glm-function', 'empty_answer'],
  ])('C29: not even natively, and not without any tools (%s)', async (name, code) => {
    const hasty = client.withOptions({ maxRetries: 0 });
    const params = request(scenario(`${name} name=launch`));
    const { tools: _, ...bare } = params;
    for (const body of [params, bare]) {
      const answer = await hasty.chat.completions.create(body).catch((reason: unknown) => reason);
      if (code === undefined) {
        expect(answer).toMatchObject({ choices: [{ message: { content: 'I will look.' }, finish_reason: 'stop' }] });
        expect(JSON.stringify(answer)).not.toContain('launch');
      } else {
        expect(answer).toMatchObject({ status: 502, code });
      }
    }
  });

  it('a strict tool whose parameters are no JSON Schema is refused', async () => {
    const broken = { ...weather.function, parameters: { type: 'thing' } };
    const count = await asked(async () => {
      const tools = [now, { type: 'function' as const, function: { ...broken, strict: true } }];
      const failure = await failureOf(client.chat.completions.create(request('hi', { tools })));
      expect(failure).toBeInstanceOf(BadRequestError);
      expect(failure).toMatchObject({ code: 'invalid_json_schema', param: 'tools[1].function.parameters' });
      expect(sent).toBe(1);
    });
    expect(count).toBe(0);
    stack.upstream.configure({ answerText: written(paris) });
    const lenient = await client.chat.completions.create(
      request('hi', { tools: [{ type: 'function', function: { ...broken, strict: false } }] }),
    );
    expect(lenient.choices[0]!.message.tool_calls).toHaveLength(1);
  });
});

describe('structured output', () => {
  const Place = z.object({ city: z.string(), population: z.number().int(), twins: z.array(z.string()) });
  const format = zodResponseFormat(Place, 'place');
  const place = { city: 'Paris', population: 2_100_000, twins: ['Rome', 'Köln 🚀'] };
  const ask = {
    model: 'glm-4.7-nothinking',
    messages: [{ role: 'user' as const, content: 'hi' }],
    response_format: format,
  };

  it.each([
    ['as it is', JSON.stringify(place, null, 2)],
    ['from a fence', `\`\`\`json\n${JSON.stringify(place)}\n\`\`\``],
    ['from prose', `Here you are: ${JSON.stringify(place)}\n\nAnything else?`],
    ['repaired', `{city: 'Paris', population: 2100000, twins: ['Rome', 'Köln 🚀',],}`],
  ])('is parsed: %s', async (_what, answerText) => {
    stack.upstream.configure({ answerText, answerFrames: 20 });
    const count = await asked(async () => {
      const { choices } = await client.chat.completions.parse(ask);
      expect(choices[0]).toMatchObject({ message: { parsed: place, refusal: null }, finish_reason: 'stop' });
      const streamed = await client.chat.completions.stream(ask).finalChatCompletion();
      expect(streamed.choices[0]!.message).toMatchObject({ parsed: place, content: choices[0]!.message.content });
    });
    expect(count).toBe(2);
  });

  it.each([
    ['is no JSON', 'mcp-block'],
    ['does not fit the schema, behind thinking', 'echo'],
  ])('C32: is asked for once more when the first answer %s', async (_what, completionFault) => {
    stack.upstream.configure({ answerText: JSON.stringify(place), completionFault });
    for (const stream of [false, true]) {
      stack.upstream.configure({ failTimes: 1 });
      const prefixes: string[] = [];
      const count = await asked(async () => {
        const params = { ...ask, model: 'glm-4.7-thinking' };
        const run = stream ? client.chat.completions.stream(params) : undefined;
        // Nothing invalid is ever seen.
        run?.on('content', (_delta, snapshot) => prefixes.push(snapshot));
        const { choices } = run ? await run.finalChatCompletion() : await client.chat.completions.parse(params);
        expect(choices[0]!.message.parsed).toEqual(place);
      });
      expect(count).toBe(2);
      for (const prefix of prefixes) expect(JSON.stringify(place).startsWith(prefix)).toBe(true);
    }
  });

  it('C32: is a refusal when the second answer is no better', async () => {
    stack.upstream.configure({ answerText: '{"city":"Paris"}' });
    const count = await asked(async () => {
      const { choices, usage } = await client.chat.completions.parse(ask);
      expect(choices[0]).toMatchObject({
        message: { content: null, parsed: null, refusal: expect.stringMatching(/JSON/) },
        finish_reason: 'stop',
      });
      expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
    });
    expect([count, sent]).toEqual([2, 1]);

    const stream = client.chat.completions.stream(ask);
    const refusals: string[] = [];
    const content: string[] = [];
    stream.on('refusal.done', ({ refusal }) => refusals.push(refusal));
    stream.on('content', (delta) => content.push(delta));
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({
      message: { content: null, refusal: refusals[0] },
      finish_reason: 'stop',
    });
    expect([refusals.length, content]).toEqual([1, []]);
  });

  it('C31: json_object is any object', async () => {
    stack.upstream.configure({ answerText: '```json\n{"any": ["thing"]}\n```' });
    const { choices } = await client.chat.completions.create({ ...ask, response_format: { type: 'json_object' } });
    expect(choices[0]!.message).toMatchObject({ content: '{"any": ["thing"]}', refusal: null });
    stack.upstream.configure({ answerText: '[1]' });
    const refused = await client.chat.completions.create({ ...ask, response_format: { type: 'json_object' } });
    expect(refused.choices[0]!.message).toMatchObject({ content: null, refusal: expect.any(String) });
  });

  it('may be a call instead, whose text is left out', async () => {
    stack.upstream.configure({ answerText: `I will look. ${written(paris)}` });
    const strict = { ...weather, function: { ...weather.function, strict: true } };
    const { choices } = await client.chat.completions.parse({ ...ask, tools: [strict] });
    expect(choices[0]).toMatchObject({
      message: { content: null, parsed: null, tool_calls: [{ function: { arguments: paris[1] } }] },
      finish_reason: 'tool_calls',
    });
  });

  it('that is cut says so', async () => {
    stack.upstream.configure({
      answerText: JSON.stringify({ ...place, twins: Array.from({ length: 200 }, () => 'Rome') }),
    });
    const failure = await failureOf(client.chat.completions.parse({ ...ask, max_tokens: 20 }));
    expect(failure).toBeInstanceOf(LengthFinishReasonError);
  });

  it.each([
    ['no schema at all', { type: 'thing' }],
    ['a schema of a list', { type: 'array', items: {} }],
    ['a schema with a broken part', { type: 'object', properties: { a: { type: 'strin' } } }],
    ['a reference to nowhere', { type: 'object', properties: { a: { $ref: '#/$defs/b' } } }],
  ])('is refused before it is asked for: %s', async (_what, schema) => {
    const count = await asked(async () => {
      for (const stream of [false, true]) {
        const failure = await failureOf(
          client.chat.completions.create({
            ...ask,
            stream,
            response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
          }),
        );
        expect(failure).toBeInstanceOf(BadRequestError);
        expect(failure).toMatchObject({
          code: 'invalid_json_schema',
          type: 'invalid_request_error',
          param: 'response_format.json_schema.schema',
        });
      }
    });
    expect(count).toBe(0);
  });
});
