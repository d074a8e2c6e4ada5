import { describe, expect, it } from '@jest/globals';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { askWhole, postChat, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const patience = { withinMs: 5_000 };
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, sights: { type: 'array', items: { type: 'string' } } },
  required: ['city', 'sights'],
  additionalProperties: false,
};
const wanted = { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } };
const anyObject = { type: 'json_object' };
const place = { city: 'Zürich 🚀', sights: ['"Grossmünster"', '{lake}', '```'] };
const json = JSON.stringify(place);

const completions = ({ upstream }: Stack): ReceivedRequest[] =>
  upstream.log.filter(({ path }) => path === '/api/v2/chat/completions');
const promptOf = ({ body, faults }: ReceivedRequest): string => {
  const { messages, signature_prompt: signed } = body as { messages: { content: string }[]; signature_prompt: string };
  expect(faults).toEqual([]);
  expect(messages.map(({ content }) => content)).toEqual([signed]);
  return signed;
};

/** The streamed answer: all texts of its chunks, one by one, and what a client makes of them. */
async function stream(stack: Stack, prompt: string, fields: Readonly<Record<string, unknown>>) {
  const opened = await openStream(stack.url, prompt, { body: fields });
  const blocks = await opened.rest();
  const chunks = chunksOf(blocks);
  const deltas = chunks.flatMap(({ choices }) => (choices ?? []).map(({ delta }) => delta as Record<string, unknown>));
  return {
    ...joinChunks(chunks),
    pieces: deltas.flatMap(({ content }) => (typeof content === 'string' ? [content] : [])),
    refusals: deltas.flatMap(({ refusal }) => (typeof refusal === 'string' ? [refusal] : [])),
    kinds: deltas.flatMap((delta) => Object.keys(delta)),
    isComplete: blocks.at(-1) === 'data: [DONE]',
  };
}

describe('what the upstream is told', () => {
  it('is the form, behind everything else', async () => {
    await using stack = await startStack({ upstream: { answerText: json } });
    await askWhole(stack.url, 'Where?', { body: { response_format: wanted } });
    const prompt = promptOf(completions(stack)[0]!);
    expect(prompt).toMatch(/^Where\?\n\n/);
    expect(prompt).toContain('nothing but one JSON object');
    expect(prompt.endsWith(`(place):\n${JSON.stringify(schema)}`)).toBe(true);

    const tools = [{ type: 'function', function: { name: 'look' } }];
    await askWhole(stack.url, 'Where?', { body: { response_format: anyObject, tools } });
    expect(promptOf(completions(stack)[1]!)).toMatch(
      /\n\nUnless you call a tool, the reply is nothing but one JSON object[^\n]*$/,
    );
  });

  it('is nothing about it when any text will do', async () => {
    await using stack = await startStack();
    await askWhole(stack.url, 'Where?', { body: { response_format: { type: 'text' } } });
    expect(promptOf(completions(stack)[0]!)).toBe('Where?');
  });
});

describe('a streamed answer', () => {
  it.each([
    ['JSON', json],
    ['JSON in lines', JSON.stringify(place, null, 2)],
    ['a fence', `\`\`\`json\n${json}\n\`\`\``],
    ['prose', `Of course!\n\n${json}\n\nThat is {all}.`],
  ])('is valid from its first piece to its last, whatever it came in (%s)', async (_what, answerText) => {
    await using stack = await startStack({ upstream: { answerText } });
    for (const answerFrames of [1, 3, 20, answerText.length]) {
      stack.upstream.configure({ answerFrames });
      const answer = await stream(stack, 'hi', { response_format: wanted });
      expect(answer).toMatchObject({ finishReasons: ['stop'], errors: [], refusals: [], isComplete: true });
      expect(JSON.parse(answer.text)).toEqual(place);
      const first = answerText.indexOf('{');
      for (const [index] of answer.pieces.entries()) {
        expect(answerText.slice(first).startsWith(answer.pieces.slice(0, index + 1).join(''))).toBe(true);
      }
    }
    expect(completions(stack)).toHaveLength(4);
  });

  it('shows nothing of a first answer that is not valid, but the thinking of both', async () => {
    await using stack = await startStack({ upstream: { answerText: json, completionFault: 'echo', failTimes: 1 } });
    const fields = { response_format: wanted, model: 'glm-4.7-thinking' };
    const answer = await stream(stack, 'hi', fields);
    const thought = 'First idea.\nSecond idea.';
    expect(answer).toMatchObject({
      text: json,
      reasoning: `${thought}\n\n${thought}`,
      finishReasons: ['stop'],
      errors: [],
      refusals: [],
    });
    expect(answer.kinds.lastIndexOf('reasoning_content')).toBeLessThan(answer.kinds.indexOf('content', 2));
    const [first, second, ...others] = completions(stack);
    expect(others).toEqual([]);
    expect(promptOf(first!)).not.toContain('previous reply');
    expect(promptOf(second!)).toMatch(/previous reply was not accepted: .*must have required property 'city'/);
    expect(second!.tokenUserId).toBe(first!.tokenUserId);
    await waitFor(() => stack.upstream.chats().length === 0, patience);
  });

  it('is a refusal when the second answer is no better, with the cost of both', async () => {
    await using stack = await startStack({ upstream: { answerText: 'I would rather not.' } });
    const fields = { response_format: wanted, stream_options: { include_usage: true } };
    const answer = await stream(stack, 'hi', fields);
    expect(answer).toMatchObject({ text: '', pieces: [], finishReasons: ['stop'], errors: [], isComplete: true });
    expect(answer.refusals).toHaveLength(1);
    const whole = await askWhole(stack.url, 'hi', { body: { response_format: wanted } });
    expect(whole.choices[0]).toMatchObject({
      message: { content: null, refusal: answer.refusals[0] },
      finish_reason: 'stop',
    });
    const free = await askWhole(stack.url, 'hi');
    expect(whole.usage.completion_tokens).toBeGreaterThan(free.usage.completion_tokens);
    expect(completions(stack)).toHaveLength(5);
    // The upstream did what it could.
    const status = (await (await fetch(`${stack.url}/v1/status`)).json()) as { state: string };
    expect(status.state).toBe('ok');
  });

  it('shows signs of life while it is held', async () => {
    await using stack = await startStack({
      env: { ZAI_SSE_HEARTBEAT_SECONDS: '0.02', ZAI_FIRST_BYTE_GRACE: '0.02' },
      upstream: { answerText: json, frameDelayMs: 30 },
    });
    const opened = await openStream(stack.url, 'hi', { body: { response_format: wanted } });
    const blocks = await opened.rest();
    const content = blocks.findIndex((block) => block.includes('"content":"'));
    expect(blocks.slice(0, content).filter((block) => block.startsWith(':')).length).toBeGreaterThan(2);
    expect(joinChunks(chunksOf(blocks))).toMatchObject({ text: json, errors: [] });
  });

  it('that breaks off shows nothing, and is asked for again like any other', async () => {
    await using stack = await startStack({
      upstream: { answerText: json, completionFault: 'connection-reset', failTimes: 1 },
    });
    const answer = await stream(stack, 'hi', { response_format: wanted });
    expect(answer).toMatchObject({ text: json, finishReasons: ['stop'], errors: [] });
    expect(promptOf(completions(stack)[1]!)).not.toContain('previous reply');
  });
});

describe('an answer that must be JSON', () => {
  it.each(['separate', 'think', 'pure', 'raw', 'none'])('has no thinking in its text (%s)', async (mode) => {
    await using stack = await startStack({ env: { ZAI_THINK_TAGS_MODE: mode }, upstream: { answerText: json } });
    const fields = { response_format: wanted, model: 'glm-4.7-thinking' };
    const { message } = (await askWhole(stack.url, 'hi', { body: fields })).choices[0]!;
    expect(JSON.parse(message.content!)).toEqual(place);
    expect(message.reasoning_content).toBe(mode === 'none' ? undefined : 'First idea.\nSecond idea.');
    const streamed = await stream(stack, 'hi', fields);
    expect([streamed.text, streamed.reasoning]).toEqual([message.content, message.reasoning_content ?? '']);
  });

  it.each([
    ['a list', '[{"city":"Zürich","sights":[]}]'],
    ['half of it', '{"city":"Zürich","sights":["Gross'],
    ['two of it', `${json}\n${json}`],
    ['more than the schema knows', JSON.stringify({ ...place, country: 'CH' })],
  ])('is not %s', async (_what, answerText) => {
    await using stack = await startStack({ upstream: { answerText } });
    const { message } = (await askWhole(stack.url, 'hi', { body: { response_format: wanted } })).choices[0]!;
    expect(message).toMatchObject({ content: null, refusal: expect.any(String) });
    expect(completions(stack)).toHaveLength(2);
  });

  it('is held to its schema when that is not strict, too', async () => {
    await using stack = await startStack({ upstream: { answerText: '{"city":1,"sights":[]}' } });
    const lenient = { type: 'json_schema', json_schema: { name: 'place', schema } };
    const { message } = (await askWhole(stack.url, 'hi', { body: { response_format: lenient } })).choices[0]!;
    expect(message.content).toBeNull();
  });

  it('is not waited for when its pattern never ends, and holds up nobody', async () => {
    await using stack = await startStack({ upstream: { answerText: JSON.stringify({ a: `${'a'.repeat(60)}!` }) } });
    const evil = {
      type: 'json_schema',
      json_schema: { name: 'evil', schema: { type: 'object', properties: { a: { pattern: '^(a+)+$' } } } },
    };
    const { message } = (await askWhole(stack.url, 'hi', { body: { response_format: evil } })).choices[0]!;
    expect(message.content).toBeNull();
    expect(await askWhole(stack.url, 'hi')).toMatchObject({ object: 'chat.completion' });
  });
});

describe('a schema that is none', () => {
  it.each([
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'strin' } } } },
      'response_format.json_schema.schema',
    ],
    [
      {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', schema: { properties: { a: { type: 'strin' } } } },
        },
      },
      'response_format.json_schema.schema',
    ],
    [
      { tools: [{ type: 'function', function: { name: 'f', strict: true, parameters: { required: 'a' } } }] },
      'tools[0].function.parameters',
    ],
  ])('is told before anything is asked of the upstream (%#)', async (fields, param) => {
    await using stack = await startStack();
    await askWhole(stack.url, 'hi');
    const before = stack.upstream.log.length;
    for (const streamed of [false, true]) {
      const response = await postChat(stack.url, 'hi', { body: { ...fields, stream: streamed } });
      const { error } = (await response.json()) as ErrorBody;
      expect({ status: response.status, ...error }).toEqual({
        status: 400,
        type: 'invalid_request_error',
        code: 'invalid_json_schema',
        param,
        message: expect.any(String),
      });
    }
    // The clean-up of the first answer may still come.
    expect(stack.upstream.log.slice(before).filter(({ method }) => method !== 'DELETE')).toEqual([]);
  });

  it('does no harm where nothing is held to it', async () => {
    await using stack = await startStack();
    const tools = [{ type: 'function', function: { name: 'f', parameters: { required: 'a' } } }];
    await expect(askWhole(stack.url, 'hi', { body: { tools } })).resolves.toMatchObject({ object: 'chat.completion' });
  });
});
