import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import { scenario } from '../support/chat-client.ts';
import { earlyFailures } from '../support/early-failures.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;
/** What the official types do not know: the fields of thinking models. */
type Delta = Chunk['choices'][number]['delta'] & { readonly reasoning_content?: string };

const key = 'sk-conformance';
const said = 'Hello from GLM. You said: hi';
const thought = 'First idea.\nSecond idea.';
const patience = { withinMs: 5_000 };

const clientFor = (stack: Stack, options: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI =>
  new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0, ...options });

const request = (prompt: string, model = 'glm-4.7-nothinking') => ({
  model,
  messages: [{ role: 'user' as const, content: prompt }],
});

async function collect(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const deltas = (chunks: readonly Chunk[]): Delta[] =>
  chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta as Delta));
const textOf = (chunks: readonly Chunk[]): string =>
  deltas(chunks)
    .map(({ content }) => content ?? '')
    .join('');

describe('the official client', () => {
  let stack: Stack;
  let client: OpenAI;
  beforeAll(async () => {
    stack = await startStack({ env: { ZAI_API_KEY: key } });
    client = clientFor(stack);
  });
  afterAll(() => stack.close());

  it('C01: reads a whole answer', async () => {
    const answer = await client.chat.completions.create(request('hi'));
    expect(answer).toEqual({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'glm-4.7-nothinking',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: said, refusal: null },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: {
        prompt_tokens: expect.any(Number),
        completion_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
    expect(Number.isInteger(answer.created)).toBe(true);
    expect(Math.abs(answer.created - Date.now() / 1000)).toBeLessThan(5);
    const { prompt_tokens: input, completion_tokens: output, total_tokens: total } = answer.usage!;
    expect(total).toBe(input + output);
  });

  it('H10: knows the id of the request', async () => {
    const answer = await client.chat.completions.create(request('hi'));
    expect(answer._request_id).toMatch(/^req_[0-9a-f]{32}$/);
    const { request_id: streamed, data } = await client.chat.completions
      .create({ ...request('hi'), stream: true })
      .withResponse();
    expect(streamed).toMatch(/^req_[0-9a-f]{32}$/);
    await collect(data);
  });

  it('C17: streams, with the headers that streams need', async () => {
    const { data, response } = await client.chat.completions.create({ ...request('hi'), stream: true }).withResponse();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    for (const name of ['content-length', 'content-encoding']) expect(response.headers.has(name)).toBe(false);
    const chunks = await collect(data);
    expect(textOf(chunks)).toBe(said);
    expect(
      new Set(chunks.map(({ id, created, model, object }) => JSON.stringify({ id, created, model, object }))).size,
    ).toBe(1);
    expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', model: 'glm-4.7-nothinking' });
  });

  it('C18: has the role in the first chunk and in no other', async () => {
    const chunks = await collect(await client.chat.completions.create({ ...request('hi'), stream: true }));
    const [first, ...others] = deltas(chunks);
    expect(first).toEqual({ role: 'assistant', content: null });
    expect(others.filter((delta) => 'role' in delta)).toEqual([]);
  });

  it.each(['thinking-then-edit', 'thinking-without-edit', 'json-encoded-edit'])(
    'C19: reasons before it answers, one kind per chunk, nothing empty (%s)',
    async (name) => {
      const chunks = await collect(await client.chat.completions.create({ ...request(scenario(name)), stream: true }));
      const all = deltas(chunks).slice(1, -1);
      const kinds = all.map((delta) => Object.keys(delta).join());
      expect(new Set(kinds)).toEqual(new Set(['reasoning_content', 'content']));
      expect(kinds.lastIndexOf('reasoning_content')).toBeLessThan(kinds.indexOf('content'));
      for (const delta of all) expect(Object.values(delta)).not.toContain('');
      expect(all.map((delta) => delta.reasoning_content ?? '').join('')).toBe(thought);
      expect(textOf(chunks)).toBe(said);
    },
  );

  it('C20: has one finish reason, on an empty delta, and nothing behind it but usage', async () => {
    const chunks = await collect(await client.chat.completions.create({ ...request('hi'), stream: true }));
    const ends = chunks.filter(({ choices }) => choices.some((choice) => choice.finish_reason !== null));
    expect(ends).toEqual([chunks.at(-1)]);
    expect(ends[0]!.choices).toEqual([{ index: 0, delta: {}, finish_reason: 'stop' }]);
  });

  it('C21: gives usage when it is asked for, once and last', async () => {
    const chunks = await collect(
      await client.chat.completions.create({ ...request('hi'), stream: true, stream_options: { include_usage: true } }),
    );
    const last = chunks.at(-1)!;
    expect(last.choices).toEqual([]);
    expect(last.usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 7, total_tokens: 8 });
    for (const chunk of chunks.slice(0, -1)) expect(chunk.usage).toBeNull();
  });

  it('C22: gives no usage when it is not asked for', async () => {
    const absent = await client.chat.completions.create({ ...request('hi'), stream: true });
    const off = await client.chat.completions.create({
      ...request('hi'),
      stream: true,
      stream_options: { include_usage: false },
    });
    for (const chunk of [...(await collect(absent)), ...(await collect(off))]) expect('usage' in chunk).toBe(false);
  });

  it('C23: ends with the end marker', async () => {
    const response = await client.chat.completions.create({ ...request('hi'), stream: true }).asResponse();
    const text = await response.text();
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    for (const block of text.slice(0, -2).split('\n\n')) expect(block).toMatch(/^data: (\{.*\}|\[DONE\])$/);
  });

  it.each(['plain', 'thinking-then-edit', 'two-thinking-rounds', 'answer-edit', 'utf8-split', 'usage-missing', 'crlf'])(
    'C41, C42: makes the same of a stream and of a whole answer (%s)',
    async (name) => {
      const whole = await client.chat.completions.create(request(scenario(name)));
      const stream = client.chat.completions.stream({
        ...request(scenario(name)),
        stream_options: { include_usage: true },
      });
      let reasoning = '';
      stream.on('chunk', ({ choices }) => {
        reasoning += (choices[0]?.delta as Delta | undefined)?.reasoning_content ?? '';
      });
      const folded = await stream.finalChatCompletion();
      const message = whole.choices[0]!.message as { content: string | null; reasoning_content?: string };
      expect(folded.choices[0]!.message.content).toBe(message.content);
      expect(folded.choices[0]!.finish_reason).toBe(whole.choices[0]!.finish_reason);
      expect(folded.usage).toEqual(whole.usage);
      expect(reasoning).toBe(message.reasoning_content ?? '');
    },
  );

  it('reads the stream by its helper, event by event', async () => {
    const stream = client.chat.completions.stream(request('hi'));
    let content = '';
    stream.on('content', (delta) => (content += delta));
    expect(await stream.finalContent()).toBe(said);
    expect(content).toBe(said);
    expect((await stream.finalMessage()).role).toBe('assistant');
  });

  it('C02, C03: may send nulls and fields that nobody knows', async () => {
    const body = {
      ...request('hi'),
      temperature: null,
      top_p: null,
      stop: null,
      tools: null,
      metadata: null,
      stream_options: null,
      reasoning_effort: null,
      max_tokens: null,
      some_vendor_field: { deep: [1, 2, 3] },
    };
    const { data, response } = await client.chat.completions
      .create(body as unknown as OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming)
      .withResponse();
    expect(data.choices[0]!.message.content).toBe(said);
    expect(response.headers.get('x-gateway-ignored-params')).toContain('some_vendor_field');
  });

  it('H01: lists the models', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(expect.arrayContaining(['glm-4.7', 'glm-4.7-thinking', 'glm-5.3']));
  });

  it('H02: retrieves one model, and knows an unknown one', async () => {
    expect(await client.models.retrieve('glm-4.7')).toMatchObject({ id: 'glm-4.7', object: 'model', owned_by: 'z-ai' });
    await expect(client.models.retrieve('nothing/like it')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
  });

  it.each([
    ['a wrong key', 'sk-wrong'],
    ['a foreign key', 'sk-conformance2'],
  ])('H06: is told about %s', async (_what, apiKey) => {
    const failure = await clientFor(stack, { apiKey })
      .chat.completions.create(request('hi'))
      .catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(failure).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      type: 'invalid_request_error',
      param: null,
      requestID: expect.stringMatching(/^req_/),
    });
  });

  it('C06: is told about an unknown model', async () => {
    const failure = await client.chat.completions.create(request('hi', 'gpt-9')).catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(NotFoundError);
    expect(failure).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
  });

  it.each([
    ['messages', { messages: [] }],
    ['messages', { messages: 'hi' }],
    ['messages[0].role', { messages: [{ role: 'king', content: 'hi' }] }],
    ['temperature', { temperature: 3 }],
    ['n', { n: 2 }],
  ])('C04, C05, C07: is told which field is wrong: %s', async (param, fields) => {
    const body = { ...request('hi'), ...fields } as OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming;
    const failure = await client.chat.completions.create(body).catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure).toMatchObject({ status: 400, type: 'invalid_request_error', param });
  });

  it('H04: gives up at once on what there is not', async () => {
    let calls = 0;
    const counting = clientFor(stack, {
      maxRetries: 2,
      fetch: (...call) => {
        calls += 1;
        return fetch(...call);
      },
    });
    await expect(counting.embeddings.create({ model: 'any', input: 'hi' })).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_endpoint',
    });
    expect(calls).toBe(1);
  });
});

describe('C35, H13: an error before the first content', () => {
  const classes = new Map<number, abstract new (...values: never[]) => APIError>([
    [400, BadRequestError],
    [403, PermissionDeniedError],
    [404, NotFoundError],
    [429, RateLimitError],
    [502, InternalServerError],
    [503, InternalServerError],
  ]);
  const retried = (status: number): boolean => status === 429 || status >= 500;

  it.each(earlyFailures)('$fault: $status $code', async ({ fault, status, code, doNotRetry, retryAfter }) => {
    await using stack = await startStack({
      env: { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.2' },
      upstream: { completionFault: fault },
    });
    const seen: { status: number; retryAfter: string | null }[] = [];
    const client = clientFor(stack, {
      // The client's own default.
      maxRetries: 2,
      fetch: async (...call) => {
        const response = await fetch(...call);
        seen.push({ status: response.status, retryAfter: response.headers.get('retry-after') });
        // Whether it tries again is its decision; how long it waits before would only make the test slow.
        const headers = new Headers(response.headers);
        headers.set('retry-after-ms', '1');
        return new Response(response.body, { status: response.status, headers });
      },
    });
    const failure = await client.chat.completions
      .create({ ...request('hi'), stream: true })
      .catch((reason: unknown) => reason);
    expect(seen[0]).toEqual({ status, retryAfter: retryAfter === null ? null : String(retryAfter) });
    const last = seen.at(-1)!.status;
    expect(failure).toBeInstanceOf(classes.get(last)!);
    // Later tries may meet a pool that has learned from the first one, and get another code of the same kind.
    if (seen.length === 1) expect(failure).toMatchObject({ status, code });
    expect(seen).toHaveLength(doNotRetry || !retried(status) ? 1 : 3);
  });
});

describe('C36: an error after the first content', () => {
  it.each(['error-internal-after-content', 'error-concurrency-after-content', 'connection-reset', 'eof-mid-frame'])(
    'makes the loop throw, so that nobody takes the part for the whole (%s)',
    async (name) => {
      await using stack = await startStack();
      const client = clientFor(stack);
      const chunks: Chunk[] = [];
      const reading = async (): Promise<void> => {
        const stream = await client.chat.completions.create({ ...request(scenario(name)), stream: true });
        for await (const chunk of stream) chunks.push(chunk);
      };
      const failure = await reading().catch((reason: unknown) => reason);
      expect(failure).toBeInstanceOf(APIError);
      expect(failure).toMatchObject({ code: expect.any(String), message: expect.any(String) });
      expect(textOf(chunks)).toMatch(/^Hello/);
      const helper = client.chat.completions.stream(request(scenario(name)));
      await expect(helper.finalChatCompletion()).rejects.toBeInstanceOf(APIError);
    },
  );

  it('is a timeout when the upstream stalls', async () => {
    await using stack = await startStack({ env: { ZAI_STREAM_TIMEOUT: '0.2' } });
    const stream = await clientFor(stack).chat.completions.create({
      ...request(scenario('stall-after-content')),
      stream: true,
    });
    await expect(collect(stream)).rejects.toMatchObject({ code: 'upstream_timeout' });
  });
});

describe('C39: abort', () => {
  const maxAbortMs = 2_000;

  it('after the first token', async () => {
    await using stack = await startStack();
    const stream = await clientFor(stack).chat.completions.create({
      ...request(scenario('slow frames=1000 delay=20')),
      stream: true,
    });
    let abortedAtMs = 0;
    for await (const chunk of stream) {
      if (textOf([chunk]) === '' || abortedAtMs > 0) continue;
      abortedAtMs = Date.now();
      stream.controller.abort();
    }
    const seen = await stack.upstream.waitForAbort(({ path }) => path.endsWith('/completions'), patience.withinMs);
    expect(seen.abortedAtMs! - abortedAtMs).toBeLessThan(maxAbortMs);
    expect(stack.logLines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('by leaving the loop', async () => {
    await using stack = await startStack();
    const stream = await clientFor(stack).chat.completions.create({
      ...request(scenario('stall-after-content')),
      stream: true,
    });
    for await (const chunk of stream) if (textOf([chunk]) !== '') break;
    await stack.upstream.waitForAbort(({ path }) => path.endsWith('/completions'), patience.withinMs);
  });

  it.each([true, false])('before the first token (stream: %s)', async (stream) => {
    await using stack = await startStack();
    const leaving = new AbortController();
    const answer = clientFor(stack)
      .chat.completions.create({ ...request(scenario('stall-before-content')), stream }, { signal: leaving.signal })
      .catch((reason: unknown) => reason);
    await stack.upstream.waitForRequest(({ path }) => path.endsWith('/completions'), patience.withinMs);
    const abortedAtMs = Date.now();
    leaving.abort();
    expect(await answer).toBeInstanceOf(APIUserAbortError);
    const seen = await stack.upstream.waitForAbort(({ path }) => path.endsWith('/completions'), patience.withinMs);
    expect(seen.abortedAtMs! - abortedAtMs).toBeLessThan(maxAbortMs);
    await waitFor(async () => (await stack.metric('zai_translator_running_turns')) === 0, patience);
  });
});
