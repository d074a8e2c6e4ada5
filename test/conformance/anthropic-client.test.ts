import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  OverloadedError,
  PermissionDeniedError,
  RateLimitError,
} from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenario } from '../support/chat-client.ts';
import { earlyFailures } from '../support/early-failures.ts';
import { messageEventSchema, messageSchema } from '../support/message-schemas.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

const key = 'sk-conformance';
const said = 'Hello from GLM. You said: hi';
const thought = 'First idea.\nSecond idea.';

type Body = Anthropic.MessageCreateParamsNonStreaming;

const clientFor = (stack: Stack, options: ConstructorParameters<typeof Anthropic>[0] = {}): Anthropic =>
  new Anthropic({ baseURL: stack.url, apiKey: key, maxRetries: 0, ...options });
const request = (prompt: string, fields: Partial<Body> = {}): Body => ({
  model: 'glm-4.7',
  max_tokens: 4_000,
  messages: [{ role: 'user', content: prompt }],
  ...fields,
});
const adaptive = { thinking: { type: 'adaptive' } } as const;
const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
/** A message as it was on the wire, without what the client adds and what differs between two answers. */
function wireOf(message: Anthropic.Message): unknown {
  const { id, parsed_output: _parsed, ...rest } = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
  const wire = messageSchema.parse({ id, ...rest });
  return {
    ...wire,
    id: '',
    content: wire.content.map((block) => (block.type === 'thinking' ? { ...block, signature: '' } : block)),
  };
}

describe('the official client', () => {
  let stack: Stack;
  let client: Anthropic;
  beforeAll(async () => {
    stack = await startStack({ env: { ZAI_API_KEY: key } });
    client = clientFor(stack);
  });
  afterAll(() => stack.close());

  it.each([
    ['x-api-key', { apiKey: key }],
    ['Bearer', { apiKey: null, authToken: key }],
  ])('M01: reads a whole answer, its key as %s', async (_how, options) => {
    const {
      data,
      response,
      request_id: requestId,
    } = await clientFor(stack, options).messages.create(request('hi')).withResponse();
    expect(wireOf(data)).toMatchObject({
      model: 'glm-4.7',
      content: [{ type: 'text', text: said }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 7 },
    });
    expect(requestId).toMatch(/^req_[0-9a-f]{32}$/);
    expect(response.headers.get('x-request-id')).toBe(requestId);
  });

  it('M03: reads every event of a stream, and nothing that is no event', async () => {
    const types: string[] = [];
    for await (const event of await client.messages.create({ ...request('hi'), stream: true })) {
      types.push(messageEventSchema.parse(event).type);
    }
    expect(new Set(types)).toEqual(
      new Set([
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ]),
    );
    expect(types.filter((type) => type === 'message_start')).toHaveLength(1);
  });

  it.each(['plain', 'thinking-then-edit', 'two-thinking-rounds', 'answer-edit', 'utf8-split', 'usage-missing', 'crlf'])(
    'M04: makes the same of a stream and of a whole answer (%s)',
    async (name) => {
      const body = request(scenario(name), adaptive);
      const whole = await client.messages.create(body);
      const streamed = await client.messages.stream(body).finalMessage();
      expect(wireOf(streamed)).toEqual(wireOf(whole));
    },
  );

  it('M05: hears a thought, and its seal behind it', async () => {
    const heard: string[] = [];
    const stream = client.messages
      .stream(request(scenario('thinking-then-edit'), { thinking: { type: 'enabled', budget_tokens: 1024 } }))
      .on('thinking', (delta) => heard.push(delta))
      .on('signature', () => heard.push('|sealed|'));
    const { content } = await stream.finalMessage();
    expect(heard.join('')).toBe(`${thought}|sealed|`);
    expect(content[0]).toMatchObject({
      type: 'thinking',
      thinking: thought,
      signature: expect.stringMatching(/.{20}/),
    });
  });

  it('M07: hears no thought that it did not ask for', async () => {
    const { content, usage } = await client.messages.create(request(scenario('thinking-then-edit')));
    expect(content.map(({ type }) => type)).toEqual(['text']);
    expect(usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
  });

  it('M09: hears a call grow, and reads its input', async () => {
    const pieces: string[] = [];
    const stream = client.messages
      .stream(request(scenario('tool-call-xml-two'), { tools: [weather] }))
      .on('inputJson', (delta) => pieces.push(delta));
    const { content, stop_reason: reason } = await stream.finalMessage();
    expect(reason).toBe('tool_use');
    expect(content).toMatchObject([
      { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } },
      { type: 'tool_use', name: 'get_weather', input: { city: 'Rome' } },
    ]);
    expect(pieces.join('')).toBe('{"city":"Paris"}{"city":"Rome"}');
    const ids = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    expect(new Set(ids).size).toBe(2);
  });

  it('M10: runs a loop of calls to its end, nothing of it forgotten, though it asks for a thread', async () => {
    const tool = betaTool({
      name: 'get_weather',
      description: 'Weather of a city.',
      inputSchema: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      },
      run: ({ city }) => `18 degrees in ${city} [[scenario:plain]]`,
    });
    stack.upstream.configure({ answerText: 'It is mild.' });
    const runner = client.beta.messages.toolRunner({
      ...request(scenario('tool-call-after-thinking')),
      ...adaptive,
      tools: [tool],
      stream: true,
    });
    const { content } = await runner.runUntilDone();
    stack.upstream.configure({ answerText: null });
    expect(content.at(-1)).toMatchObject({ type: 'text', text: 'It is mild.' });
    const { body } = stack.upstream.log.findLast(({ path }) => path === '/api/v2/chat/completions')!;
    const { signature_prompt: prompt } = body as { signature_prompt: string };
    // The thought before the call, the call and its result.
    for (const words of [thought, '{"city":"Paris"}', '18 degrees in Paris']) expect(prompt).toContain(words);
  });

  it('M14: is told which stop sequence it was', async () => {
    const { stop_reason: reason, stop_sequence: sequence } = await client.messages
      .stream(request('hi', { stop_sequences: ['GLM'] }))
      .finalMessage();
    expect([reason, sequence]).toEqual(['stop_sequence', 'GLM']);
  });

  it('reads structured output, streamed and whole', async () => {
    stack.upstream.configure({ answerText: 'Here: ```json\n{"city":"Rome"}\n```' });
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    } as const;
    const body = request('Where?', { output_config: { format: jsonSchemaOutputFormat(schema) } });
    expect((await client.messages.parse(body)).parsed_output).toEqual({ city: 'Rome' });
    expect((await client.messages.stream(body).finalMessage()).parsed_output).toEqual({ city: 'Rome' });
    stack.upstream.configure({ answerText: 'I will not.' });
    const refused = await client.messages.create(
      request('Where?', { output_config: { format: { type: 'json_schema', schema } } }),
    );
    expect(refused).toMatchObject({ content: [], stop_reason: 'refusal', stop_details: { type: 'refusal' } });
    stack.upstream.configure({ answerText: null });
  });

  it('M20: counts tokens', async () => {
    const { max_tokens: _unused, ...body } = request('hi');
    expect(await client.messages.countTokens(body)).toEqual({ input_tokens: expect.any(Number) });
    expect(await client.beta.messages.countTokens(body)).toMatchObject({ input_tokens: expect.any(Number) });
  });

  it('H01, H02: lists all models, page by page, and knows one by its name', async () => {
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toEqual(expect.arrayContaining(['glm-4.7', 'glm-5.3', 'claude-glm-5']));
    expect(new Set(ids).size).toBe(ids.length);
    expect(await client.models.retrieve('glm-4.7')).toMatchObject({ id: 'glm-4.7', display_name: 'GLM-4.7' });
    await expect(client.models.retrieve('nothing/like it')).rejects.toBeInstanceOf(NotFoundError);
  });

  it('M17, H06: is told about a wrong key', async () => {
    const failure: unknown = await clientFor(stack, { apiKey: 'sk-wrong' })
      .messages.create(request('hi'))
      .catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(failure).toMatchObject({
      status: 401,
      type: 'authentication_error',
      requestID: expect.stringMatching(/^req_/),
    });
  });

  it.each<[string, object]>([
    ['messages', { messages: [] }],
    ['messages[0].content[0].text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['temperature', { temperature: 3 }],
    ['tools[0].input_schema', { tools: [{ name: 'look' }] }],
  ])('M02, M17: is told which field is wrong: %s', async (field, fields) => {
    const failure: unknown = await client.messages
      .create(Object.assign(request('hi'), fields))
      .catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure).toMatchObject({ type: 'invalid_request_error', apiMessage: expect.stringContaining(field) });
  });
});

describe('M17, H13: an error before the first content', () => {
  const classes: ReadonlyMap<number, abstract new (...values: never[]) => APIError> = new Map([
    [400, BadRequestError],
    [403, PermissionDeniedError],
    [404, NotFoundError],
    [429, RateLimitError],
    [502, InternalServerError],
    [503, OverloadedError],
  ]);
  /** One of each kind is enough for a client; the table is held in full elsewhere. */
  const kinds = [
    ...new Map(earlyFailures.map((failure) => [`${failure.status} ${failure.doNotRetry}`, failure])).values(),
  ];

  it.each(kinds)('$fault: $status $code', async ({ fault, status, doNotRetry }) => {
    await using stack = await startStack({
      env: { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.2' },
      upstream: { completionFault: fault },
    });
    let tries = 0;
    const client = clientFor(stack, {
      // The client's own default.
      maxRetries: 2,
      fetch: async (...call) => {
        tries += 1;
        const response = await fetch(...call);
        // Whether it tries again is its decision; how long it waits before would only make the test slow.
        const headers = new Headers(response.headers);
        headers.set('retry-after-ms', '1');
        return new Response(response.body, { status: response.status, headers });
      },
    });
    const failure: unknown = await client.messages
      .create({ ...request('hi'), stream: true })
      .catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(tries === 1 ? classes.get(status)! : APIError);
    expect(tries).toBe(doNotRetry || (status < 500 && status !== 429) ? 1 : 3);
  });
});

describe('M18: an error after the first content', () => {
  it.each(['error-internal-after-content', 'connection-reset', 'eof-mid-frame'])(
    'makes the loop throw, so that nobody takes the part for the whole (%s)',
    async (name) => {
      await using stack = await startStack({ env: { ZAI_API_KEY: key } });
      const client = clientFor(stack);
      let text = '';
      const stream = client.messages.stream(request(scenario(name))).on('text', (delta) => (text += delta));
      const failure: unknown = await stream.finalMessage().catch((reason: unknown) => reason);
      expect(failure).toBeInstanceOf(APIError);
      expect(failure).toMatchObject({ type: 'api_error' });
      expect(text).toMatch(/^Hello/);
    },
  );
});
