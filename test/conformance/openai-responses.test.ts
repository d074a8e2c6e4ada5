import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import OpenAI, { BadRequestError, NotFoundError, RateLimitError } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { scenario } from '../support/chat-client.ts';
import { lastResponse, readResponseEvents } from '../support/response-events.ts';
import { responseSchema, type WireEvent, type WireResponseObject } from '../support/response-schemas.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

type Params = OpenAI.Responses.ResponseCreateParamsNonStreaming;

const plainModel = 'glm-4.7-nothinking';
const thinkingModel = 'glm-4.7';
const said = 'Hello from GLM. You said: hi';
const thought = 'First idea.\nSecond idea.';
const weather = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'Weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
};
const calls = scenario('tool-call-xml');

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({ env: { ZAI_API_KEY: 'sk-one,sk-two' } });
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: 'sk-one', maxRetries: 0 });
});
afterAll(() => stack.close());
beforeEach(() => stack.upstream.configure({ answerText: null, scenario: 'plain' }));

const post = (body: object, key = 'sk-one'): Promise<Response> =>
  fetch(`${stack.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: plainModel, input: 'hi', ...body }),
  });
const get = (path: string, key = 'sk-one'): Promise<Response> =>
  fetch(`${stack.url}/v1/responses/${path}`, { headers: { authorization: `Bearer ${key}` } });
/** A whole answer, held to the schema. */
async function whole(body: object): Promise<WireResponseObject> {
  const response = await post(body);
  expect(response.status).toBe(200);
  return responseSchema.parse(await response.json());
}
/** A stream, held to the grammar. */
async function streamed(body: object): Promise<WireEvent[]> {
  const response = await post({ stream: true, ...body });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  return readResponseEvents(await response.text());
}
const create = (fields: Partial<Params> = {}): Promise<OpenAI.Responses.Response> =>
  client.responses.create({ model: plainModel, input: 'hi', ...fields } as Params);
const completions = (): readonly ReceivedRequest[] =>
  stack.upstream.log.filter(({ path }) => path === '/api/v2/chat/completions');
/** The text that the upstream got last. */
function lastPrompt(): string {
  const { body } = completions().at(-1)!;
  return (body as { signature_prompt: string }).signature_prompt;
}
const typesOf = (events: readonly WireEvent[]): string[] => events.map(({ type }) => type.replace('response.', ''));
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );

describe('an answer', () => {
  it('R01: has every key, and a message', async () => {
    const response = await whole({});
    expect(response).toMatchObject({
      status: 'completed',
      model: plainModel,
      store: true,
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said, annotations: [] }] }],
      usage: { input_tokens: 1, output_tokens: 7, total_tokens: 8 },
      temperature: 1,
      top_p: 1,
      metadata: {},
      previous_response_id: null,
    });
    expect(response.completed_at).toBeGreaterThanOrEqual(response.created_at);
  });

  it('R01: repeats what was asked for', async () => {
    const asked = {
      instructions: 'Be brief.',
      temperature: 0.3,
      top_p: 0.9,
      max_output_tokens: 500,
      max_tool_calls: 3,
      parallel_tool_calls: false,
      tools: [weather],
      tool_choice: 'none',
      metadata: { a: 'b' },
      safety_identifier: 's',
      prompt_cache_key: 'k',
      user: 'me',
      truncation: 'auto',
      store: false,
      reasoning: { effort: 'none', summary: 'auto' },
      text: { format: { type: 'text' }, verbosity: 'low' },
    };
    expect(await whole({ ...asked, service_tier: 'auto' })).toMatchObject({ ...asked, service_tier: 'default' });
  });

  it('R02: is streamed in order', async () => {
    const events = await streamed({});
    const types = typesOf(events);
    expect(types.slice(0, 4)).toEqual(['created', 'in_progress', 'output_item.added', 'content_part.added']);
    expect(types.slice(-4)).toEqual(['output_text.done', 'content_part.done', 'output_item.done', 'completed']);
    expect(new Set(types.slice(4, -4))).toEqual(new Set(['output_text.delta']));
    expect(lastResponse(events)).toMatchObject({ status: 'completed', usage: { total_tokens: 8 } });
  });

  it('R03: is folded by the official client into what it gets again', async () => {
    const final = await client.responses.stream({ model: plainModel, input: 'hi' }).finalResponse();
    expect(final.output_text).toBe(said);
    // What a client parsed is its own.
    const wire = (response: object): unknown =>
      JSON.parse(JSON.stringify(response), (key, value: unknown) => (/parsed$/.test(key) ? undefined : value));
    expect(wire(final)).toEqual(wire(await client.responses.retrieve(final.id)));
    // By way of the events, too.
    const followed = await client.responses.stream({ response_id: final.id }).finalResponse();
    expect(followed.output_text).toBe(said);
  });

  it('R04: thinks before it speaks', async () => {
    const events = await streamed({ model: thinkingModel, input: scenario('thinking-then-edit') });
    const { output } = lastResponse(events);
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: thought }] },
      { type: 'message' },
    ]);
    const first = events.filter((event) => 'output_index' in event && event.output_index === 0);
    expect([...new Set(typesOf(first))]).toEqual([
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
    ]);
  });

  it('R05, R06: calls a tool and says nothing beside it', async () => {
    const events = await streamed({ input: calls, tools: [weather] });
    const { output } = lastResponse(events);
    expect(output).toMatchObject([{ type: 'function_call', name: 'get_weather', arguments: '{"city":"Paris"}' }]);
    const [call] = output;
    const added = events.find((event) => event.type === 'response.output_item.added');
    expect(added).toMatchObject({ item: { id: call!.id, name: 'get_weather', arguments: '' } });
    expect(call!.id).not.toBe((call as { call_id: string }).call_id);
    const deltas = events.flatMap((event) =>
      event.type === 'response.function_call_arguments.delta' ? [event.delta] : [],
    );
    expect(deltas.join('')).toBe('{"city":"Paris"}');
  });

  it('R19: is the JSON that was asked for', async () => {
    stack.upstream.configure({ answerText: 'Here you are:\n```json\n{"city":"Rome"}\n```' });
    const format = zodTextFormat(z.object({ city: z.string() }), 'place');
    const parsed = await client.responses.parse({ model: plainModel, input: 'Where?', text: { format } });
    expect(parsed.output_parsed).toEqual({ city: 'Rome' });
  });

  it('R20: that is cut says so, streamed and whole', async () => {
    const body = { input: scenario('slow frames=60 delay=5'), max_output_tokens: 2 };
    const cut = {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'message', status: 'incomplete' }],
    };
    expect(await whole(body)).toMatchObject(cut);
    const events = await streamed(body);
    expect(events.at(-1)?.type).toBe('response.incomplete');
    expect(lastResponse(events)).toMatchObject(cut);
  });

  it('R21: that breaks off has failed, with its own id', async () => {
    const events = await streamed({ input: scenario('error-internal-after-content') });
    expect(events.at(-1)?.type).toBe('response.failed');
    const { id, error, status } = lastResponse(events);
    expect([events[0]?.type, (events[0] as { response: { id: string } }).response.id]).toEqual([
      'response.created',
      id,
    ]);
    expect([status, error?.code]).toEqual(['failed', 'server_error']);
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
  });

  it('R22: that the upstream has no room for is refused with a time to wait', async () => {
    const failure = await failureOf(create({ input: scenario('error-model-busy') }));
    expect(failure).toBeInstanceOf(RateLimitError);
    expect(Number((failure as RateLimitError).headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('thoughts that clients carry', () => {
  const ask = { model: thinkingModel, store: false, include: ['reasoning.encrypted_content'] };

  it('R07: come back to the model between a call and its result', async () => {
    const { output } = await whole({ ...ask, input: scenario('thinking-then-edit') });
    const [reasoning] = output;
    expect(reasoning).toMatchObject({ type: 'reasoning', encrypted_content: expect.any(String) as unknown });
    expect(JSON.stringify(reasoning)).toContain('First idea');
    const sealed = { ...reasoning, summary: [], content: null };
    const call = { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{}' };
    const result = { type: 'function_call_output', call_id: 'call_1', output: '18 degrees' };
    await whole({ ...ask, tools: [weather], input: [{ role: 'user', content: 'hi' }, sealed, call, result] });
    expect(lastPrompt()).toContain('First idea.\nSecond idea.');
  });

  it.each([
    ['foreign', 'gAAAAABo'],
    ['garbled', 'AQIDBAUGBwgJ'],
    ['empty', ''],
  ])('R08: that are %s are dropped quietly', async (_what, encrypted_content) => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content };
    await whole({ input: [{ role: 'user', content: 'Well?' }, reasoning, { role: 'user', content: 'hi' }] });
  });
});

describe('a conversation', () => {
  it('R09: goes on from the response before, without its instructions', async () => {
    stack.upstream.configure({ answerText: 'Aye.' });
    const first = await create({ instructions: 'Speak like a pirate.', input: 'My name is Ann. hi' });
    const second = await create({ previous_response_id: first.id, instructions: 'Be brief.', input: 'Who am I? hi' });
    expect(second.previous_response_id).toBe(first.id);
    const prompt = lastPrompt();
    const at = ['Be brief.', 'My name is Ann.', first.output_text, 'Who am I?'].map((text) => prompt.indexOf(text));
    expect(at).toEqual([...at].sort((one, other) => one - other));
    expect(at[0]).toBeGreaterThanOrEqual(0);
    expect(prompt).not.toContain('pirate');
    const third = await create({ previous_response_id: second.id, input: 'And now? hi' });
    expect(lastPrompt()).toContain('My name is Ann.');
    expect(third.status).toBe('completed');
  });

  it('R09: keeps thoughts of its own between a call and its result', async () => {
    const first = await whole({ model: thinkingModel, input: scenario('thinking-then-edit') });
    const call = { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{}' };
    const result = { type: 'function_call_output', call_id: 'call_1', output: '18 degrees [[scenario:plain]]' };
    await whole({ previous_response_id: first.id, input: [call, result], tools: [weather] });
    expect(lastPrompt()).toContain(thought);
    // Once the user has spoken again, it is over.
    await whole({ previous_response_id: first.id, input: 'hi' });
    expect(lastPrompt()).not.toContain(thought);
  });

  it('is refused when it is too long, or loses its middle', async () => {
    const filler = Array.from({ length: 26 }, (_, index) => ({
      role: 'user' as const,
      content: `${index} `.repeat(9_000),
    }));
    const input = [
      { role: 'user' as const, content: 'The first word.' },
      ...filler,
      { role: 'user' as const, content: 'hi' },
    ];
    expect(await failureOf(create({ input, store: false }))).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'input',
    });
    expect((await create({ input, store: false, truncation: 'auto' })).status).toBe('completed');
    expect(lastPrompt()).toMatch(/The first word\.[^]*25 25 25[^]*hi/);
    expect(lastPrompt()).not.toMatch(/\b3 3 3 3/);
  });

  it.each(['resp_0123456789abcdef', 'nonsense', 'resp_}{'])('R10: does not go on from %s', async (id) => {
    const failure = await failureOf(create({ previous_response_id: id }));
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure).toMatchObject({ code: 'previous_response_not_found', param: 'previous_response_id' });
  });

  it('does not go on from one that failed', async () => {
    const { id } = lastResponse(await streamed({ input: scenario('error-internal-after-content') }));
    expect(await failureOf(create({ previous_response_id: id }))).toMatchObject({
      status: 400,
      param: 'previous_response_id',
    });
  });

  it('R24: may refer to items that are kept, and to no others', async () => {
    const first = await create({ input: 'The secret is Rosebud. hi' });
    const reference = { type: 'item_reference' as const, id: first.output[0]!.id! };
    await create({ input: [{ role: 'user', content: 'Hello?' }, reference, { role: 'user', content: 'hi' }] });
    expect(lastPrompt()).toContain('You said: The secret is Rosebud. hi');
    for (const id of ['msg_unknown', 'msg_0123_0']) {
      const failure = await failureOf(create({ input: [{ type: 'item_reference', id }] }));
      expect(failure).toMatchObject({ status: 400, code: 'item_not_found', param: 'input' });
      expect((failure as Error).message).toContain(id);
    }
  });

  it('is nobody’s but that of the key that began it', async () => {
    const { id, output } = await whole({});
    expect((await get(id)).status).toBe(200);
    expect((await get(id, 'sk-two')).status).toBe(404);
    expect((await get(`${id}/input_items`, 'sk-two')).status).toBe(404);
    expect((await get(`${id}?stream=true`, 'sk-two')).status).toBe(404);
    expect((await post({ previous_response_id: id }, 'sk-two')).status).toBe(400);
    expect((await post({ input: [{ type: 'item_reference', id: output[0]!.id }] }, 'sk-two')).status).toBe(400);
    const stranger = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: 'sk-two', maxRetries: 0 });
    expect(await failureOf(stranger.responses.delete(id))).toBeInstanceOf(NotFoundError);
    expect(await failureOf(stranger.responses.cancel(id))).toBeInstanceOf(NotFoundError);
    expect((await get(id)).status).toBe(200);
  });
});

describe('a kept response', () => {
  it('R11: is there by default and not without store', async () => {
    const kept = await create();
    expect((await client.responses.retrieve(kept.id)).output_text).toBe(said);
    for (const { id, store } of [await whole({ store: false }), lastResponse(await streamed({ store: false }))]) {
      expect(store).toBe(false);
      expect(await failureOf(client.responses.retrieve(id))).toBeInstanceOf(NotFoundError);
    }
  });

  it('R12: can be deleted, once', async () => {
    const { id } = await create();
    const response = await fetch(`${stack.url}/v1/responses/${id}`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer sk-one' },
    });
    expect([response.status, await response.json()]).toEqual([200, { id, object: 'response', deleted: true }]);
    expect(await failureOf(client.responses.retrieve(id))).toBeInstanceOf(NotFoundError);
    expect(await failureOf(client.responses.delete(id))).toBeInstanceOf(NotFoundError);
  });

  it.each([0, 5, 6, 11])('R13: is streamed again from behind event %i on, with the same numbers', async (after) => {
    const original = await post({ stream: true, input: scenario('slow frames=6 delay=2') });
    const events = readResponseEvents(await original.text());
    const { id } = lastResponse(events);
    const response = await get(`${id}?stream=true&starting_after=${after}`);
    expect(readResponseEvents(await response.text(), after + 1)).toEqual(events.slice(after + 1));
  });

  it('R13: has nothing behind its last event', async () => {
    const events = await streamed({});
    const { id } = lastResponse(events);
    const response = await get(`${id}?stream=true&starting_after=${events.length - 1}`);
    expect(await response.text()).toBe('data: [DONE]\n\n');
  });

  it('R13: is followed while it runs', async () => {
    const running = client.responses.stream({ model: plainModel, input: scenario('slow frames=20 delay=20') });
    const { promise, resolve } = Promise.withResolvers<string>();
    running.on('response.created', ({ response }) => resolve(response.id));
    const followed = client.responses.stream({ response_id: await promise });
    const [one, other] = await Promise.all([running.finalResponse(), followed.finalResponse()]);
    expect(other.output_text).toBe(one.output_text);
  });

  it('R13: is answered at once, whatever is to come', async () => {
    const { id } = await create({ background: true, input: scenario('stall-after-content') });
    // Resolves with the headers.
    const following = await get(`${id}?stream=true&starting_after=1000`);
    expect(following.status).toBe(200);
    await client.responses.cancel(id);
    const last = readResponseEvents(await following.text(), 1001);
    expect(last).toMatchObject([{ type: 'response.incomplete', response: { status: 'cancelled' } }]);
  });

  it('R13: that never was a stream cannot be streamed', async () => {
    const { id } = await create();
    expect((await get(`${id}?stream=true`)).status).toBe(400);
    expect((await get(`${id}?stream=true&starting_after=x`)).status).toBe(400);
  });

  it('R14: lists what it was made of', async () => {
    const first = await create({ input: 'One. hi' });
    const { id } = await create({
      previous_response_id: first.id,
      input: [
        { role: 'user', content: 'Two.' },
        { role: 'user', content: [{ type: 'input_text', text: 'Three. hi' }] },
      ],
    });
    const items = [];
    for await (const item of client.responses.inputItems.list(id, { order: 'asc', limit: 1 })) items.push(item);
    const textOf = (item: unknown): unknown => (item as { content: { text: string }[] }).content[0]?.text;
    expect(items.map(textOf)).toEqual(['One. hi', first.output_text, 'Two.', 'Three. hi']);
    expect(new Set(items.map((item) => item.id)).size).toBe(4);
    const newest = (await (await get(`${id}/input_items?limit=2`)).json()) as { data: { id: string }[] };
    expect(newest.data.map(textOf)).toEqual(['Three. hi', 'Two.']);
    const [first_id, last_id] = newest.data.map((item) => item.id);
    expect(newest).toMatchObject({ object: 'list', has_more: true, first_id, last_id });
    expect((await get(`${id}/input_items?limit=0`)).status).toBe(400);
    expect((await get(`${id}/input_items?after=msg_x`)).status).toBe(400);
  });

  it('R15: that nobody put into the background cannot be cancelled', async () => {
    const { id } = await create();
    expect(await failureOf(client.responses.cancel(id))).toBeInstanceOf(BadRequestError);
    expect(await failureOf(client.responses.cancel('resp_none'))).toBeInstanceOf(NotFoundError);
  });

  it('goes on when its client leaves, and is whole', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${stack.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-one' },
      body: JSON.stringify({ model: plainModel, input: scenario('slow frames=20 delay=20'), stream: true }),
      signal: leaving.signal,
    });
    const reader = response.body!.getReader();
    const text = new TextDecoder().decode((await reader.read()).value);
    leaving.abort();
    const [id = ''] = /resp_[a-z0-9]+/.exec(text) ?? [];
    const seen = Number([...text.matchAll(/"sequence_number":(\d+)/g)].at(-1)?.[1]);
    const rest = readResponseEvents(await (await get(`${id}?stream=true&starting_after=${seen}`)).text(), seen + 1);
    expect(lastResponse(rest)).toMatchObject({ status: 'completed' });
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'completed' });
  });
});

describe('a response in the background', () => {
  it('is queued at once, runs, and is there in the end', async () => {
    const first = await whole({ background: true, input: scenario('slow frames=6 delay=30') });
    expect(first).toMatchObject({ status: 'queued', background: true, output: [], usage: null });
    const states = new Set<string>();
    await waitFor(
      async () => {
        const { status } = await client.responses.retrieve(first.id);
        states.add(String(status));
        return status === 'completed';
      },
      { withinMs: 10_000 },
    );
    expect(states).toContain('in_progress');
    const events = readResponseEvents(await (await get(`${first.id}?stream=true`)).text());
    expect(typesOf(events).slice(0, 3)).toEqual(['created', 'queued', 'in_progress']);
  });

  it('may be streamed', async () => {
    const events = await streamed({ background: true });
    expect(typesOf(events).slice(0, 3)).toEqual(['created', 'queued', 'in_progress']);
    expect(lastResponse(events)).toMatchObject({ status: 'completed', background: true });
  });

  it('has to be kept', async () => {
    const failure = await failureOf(create({ background: true, store: false }));
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure).toMatchObject({ param: 'background' });
  });

  it('can be called off, again and again', async () => {
    const { id } = await create({ background: true, input: scenario('stall-after-content') });
    await waitFor(() => stack.upstream.runningStreams() === 1, { withinMs: 5_000 });
    expect(await client.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' });
    expect(await client.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' });
    await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 5_000 });
    const events = readResponseEvents(await (await get(`${id}?stream=true`)).text());
    expect(lastResponse(events).status).toBe('cancelled');
    const followed = await client.responses.stream({ response_id: id }).finalResponse();
    expect(followed.status).toBe('cancelled');
  });

  it('that fails says why', async () => {
    const { id } = await create({ background: true, input: scenario('error-model-busy') });
    await waitFor(async () => (await client.responses.retrieve(id)).status === 'failed', { withinMs: 15_000 });
    expect((await client.responses.retrieve(id)).error?.code).toBe('rate_limit_exceeded');
  });

  it('ends with its deletion', async () => {
    const { id } = await create({ background: true, input: scenario('stall-after-content') });
    await waitFor(() => stack.upstream.runningStreams() === 1, { withinMs: 5_000 });
    await client.responses.delete(id);
    await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 5_000 });
  });
});

describe('what other clients send', () => {
  it('R16: a picture in the result of a call', async () => {
    const image_url = `data:image/png;base64,${Buffer.from('not really a picture').toString('base64')}`;
    const response = await post({
      model: plainModel,
      input: [
        { role: 'user', content: 'hi' },
        { type: 'function_call', call_id: 'a', name: 'view_image', arguments: '{}' },
        { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url }] },
      ],
    });
    const body = (await response.json()) as { error?: { code: string } };
    // Understood; whether the model can see is another question.
    expect([200, 400, 403]).toContain(response.status);
    if (response.status !== 200) expect(body.error?.code).toMatch(/^image_input_/);
  });

  it('R17: items and tools that nobody here knows', async () => {
    await whole({
      client_metadata: { a: '1' },
      input: [
        { role: 'user', content: 'Go.' },
        {
          type: 'local_shell_call',
          call_id: 'c',
          action: { type: 'exec', command: ['ls'], env: {} },
          status: 'completed',
        },
        { type: 'local_shell_call_output', id: 'c', output: 'a.txt' },
        { type: 'compaction', encrypted_content: 'x' },
        { type: 'hologram' },
        { role: 'user', content: 'hi' },
      ],
      tools: [
        { type: 'namespace', name: 'multi_agent_v1', description: 'x', tools: [weather] },
        { type: 'custom', name: 'exec', format: { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' } },
        { type: 'web_search', external_web_access: true },
        { type: 'tool_search' },
        { type: 'hologram' },
      ],
    });
    expect(lastPrompt()).toContain('a.txt');
  });

  it('counts tokens without asking the upstream', async () => {
    const before = completions().length;
    const counted = await client.responses.inputTokens.count({ model: plainModel, input: 'Some words to count.' });
    expect(counted).toMatchObject({ object: 'response.input_tokens', input_tokens: expect.any(Number) as unknown });
    expect(counted.input_tokens).toBeGreaterThan(2);
    expect(completions()).toHaveLength(before);
  });
});

describe('the AI SDK with its default model', () => {
  const sent: string[] = [];
  const model = (name: string) =>
    createOpenAI({
      baseURL: `${stack.url}/v1`,
      apiKey: 'sk-one',
      fetch: (url, init) => {
        if (typeof init?.body === 'string') sent.push(init.body);
        return fetch(url, init);
      },
    })(name);

  it('R23: parses text, thoughts and usage, and knows every part', async () => {
    const result = streamText({ model: model(thinkingModel), prompt: scenario('thinking-then-edit') });
    const types = new Set<string>();
    for await (const part of result.stream) types.add(part.type);
    expect(types).not.toContain('error');
    expect(types).not.toContain('raw');
    expect([await result.text, (await result.finalStep).reasoningText]).toEqual([said, thought]);
    expect((await result.usage).outputTokens).toBeGreaterThan(0);
    expect(await result.warnings).toEqual([]);
  });

  it('R23, R24: runs a tool and goes on by references to what is kept', async () => {
    stack.upstream.configure({ answerText: '18 degrees.' });
    const cities: string[] = [];
    const result = await generateText({
      model: model(plainModel),
      // What was said beside a call is what the library refers to.
      prompt: scenario('tool-call-xml-after-text'),
      stopWhen: stepCountIs(3),
      tools: {
        get_weather: tool({
          inputSchema: z.object({ city: z.string() }),
          execute: ({ city }) => {
            cities.push(city);
            return 'warm [[scenario:plain]]';
          },
        }),
      },
    });
    expect([result.text, cities]).toEqual(['18 degrees.', ['Paris']]);
    expect(sent.at(-1)).toContain('"item_reference"');
    expect(lastPrompt()).toContain('I will look.');
  });
});

it('is counted', async () => {
  expect(await stack.metric('zai_translator_kept_responses_total', { outcome: 'kept' })).toBeGreaterThan(10);
  expect(await stack.metric('zai_translator_responses_store_entries')).toBeGreaterThan(10);
  await waitFor(async () => (await stack.metric('zai_translator_kept_runs')) === 0, { withinMs: 5_000 });
  expect(await stack.metric('zai_translator_response_followers')).toBe(0);
});
