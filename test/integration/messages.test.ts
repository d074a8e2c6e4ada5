import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenario } from '../support/chat-client.ts';
import { foldMessageEvents, readMessageEvents } from '../support/message-events.ts';
import { errorBodySchema, messageSchema } from '../support/message-schemas.ts';
import { askMessage, askMessageEvents, messagesBody, postMessages } from '../support/messages-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

const said = 'Hello from GLM. You said: hi';
const weather = {
  name: 'get_weather',
  description: 'Weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

const completions = ({ upstream }: Stack) => upstream.log.filter(({ path }) => path === '/api/v2/chat/completions');
/** What the upstream was told last. */
const lastPrompt = (stack: Stack): string =>
  (completions(stack).at(-1)?.body as { signature_prompt: string }).signature_prompt;
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });

describe('POST /v1/messages', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.close());

  it('M02: refuses a request without max_tokens in the shape of its API', async () => {
    const response = await postMessages(stack.url, { model: 'glm-4.7', messages: [user('hi')] });
    expect(response.status).toBe(400);
    const body = errorBodySchema.parse(await response.json());
    expect(body.error.type).toBe('invalid_request_error');
    expect(body.error.message).toContain('max_tokens');
    expect(body.request_id).toBe(response.headers.get('request-id'));
    expect(response.headers.get('x-request-id')).toBe(body.request_id);
  });

  it('M03: streams in order, and not a byte behind the end', async () => {
    const response = await postMessages(stack.url, messagesBody('hi', { stream: true }));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'request-id': expect.stringMatching(/^req_/),
    });
    const text = await response.text();
    expect(text.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true);
    expect(foldMessageEvents(readMessageEvents(text)).content).toEqual([{ type: 'text', text: said, citations: null }]);
  });

  it('M06: takes an omitted thought out of the answer and back into the next question', async () => {
    const fields = { thinking: { type: 'adaptive', display: 'omitted' } };
    const events = await askMessageEvents(stack.url, scenario('thinking-then-edit'), fields);
    const { content } = foldMessageEvents(events);
    expect(content).toMatchObject([
      { type: 'thinking', thinking: '', signature: expect.stringMatching(/.{20}/) },
      { type: 'text', text: said },
    ]);
    expect(JSON.stringify(events)).not.toContain('First idea');
    await askMessage(stack.url, '', { ...fields, messages: [user('hi'), assistant(content), user('And then?')] });
    expect(lastPrompt(stack)).toContain('First idea.\nSecond idea.');
  });

  it('M06: gives a thought back to nobody but the key that it was made for', async () => {
    await using keyed = await startStack({ env: { ZAI_API_KEY: 'sk-one,sk-two' } });
    const ask = (key: string, body: Record<string, unknown>) =>
      postMessages(keyed.url, body, { headers: { 'x-api-key': key } });
    const fields = { thinking: { type: 'adaptive', display: 'omitted' } };
    const answer = await ask('sk-one', messagesBody(scenario('thinking-then-edit'), fields));
    const { content } = messageSchema.parse(await answer.json());
    const next = messagesBody('', { ...fields, messages: [user('hi'), assistant(content), user('And then?')] });
    expect((await ask('sk-two', next)).status).toBe(200);
    expect(lastPrompt(keyed)).toContain(said);
    expect(lastPrompt(keyed)).not.toContain('idea');
    expect((await ask('sk-one', next)).status).toBe(200);
    expect(lastPrompt(keyed)).toContain('First idea.');
  });

  it('M07: does not think unasked; what the model thinks all the same is counted and not shown', async () => {
    const { content, usage } = await askMessage(stack.url, scenario('thinking-then-edit'));
    expect(content.map(({ type }) => type)).toEqual(['text']);
    expect(usage.output_tokens_details.thinking_tokens).toBeGreaterThan(0);
    expect(completions(stack).at(-1)?.body).toMatchObject({ features: { enable_thinking: false } });
    await askMessage(stack.url, 'hi', { model: 'glm-4.7-thinking' });
    expect(completions(stack).at(-1)?.body).toMatchObject({ features: { enable_thinking: true } });
  });

  it('M08: passes over the thoughts of other models', async () => {
    const foreign = [
      { type: 'thinking', thinking: 'A foreign thought.', signature: 'EqoBCkgIARABGAIiQL' },
      { type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3p' },
      { type: 'text', text: 'Yes.' },
    ];
    await askMessage(stack.url, '', { messages: [user('One?'), assistant(foreign), user('Two?')] });
    expect(lastPrompt(stack)).toContain('Yes.');
    expect(lastPrompt(stack)).not.toContain('foreign');
  });

  it('M10: shows the results of tools in all their forms to the model', async () => {
    const call = (id: string) => ({ type: 'tool_use', id, name: 'get_weather', input: { city: id } });
    const result = (id: string, fields: object) => ({ type: 'tool_result', tool_use_id: id, ...fields });
    const results = [
      result('a', { content: 'A plain string.' }),
      result('b', { content: [{ type: 'text', text: 'A block.' }] }),
      result('c', { content: 'No such city.', is_error: true }),
      result('d', { content: [{ type: 'tool_reference', tool_name: 'get_news' }] }),
      result('e', {}),
    ];
    await askMessage(stack.url, '', {
      tools: [weather, { ...weather, name: 'get_news', defer_loading: true }],
      messages: [
        user('Look.'),
        assistant(['a', 'b', 'c', 'd', 'e'].map(call)),
        user([...results, { type: 'text', text: 'Well?' }]),
      ],
    });
    const prompt = lastPrompt(stack);
    for (const words of ['A plain string.', 'A block.', 'The tool call failed.\nNo such city.', 'get_news']) {
      expect(prompt).toContain(words);
    }
    expect(prompt.indexOf('No such city.')).toBeLessThan(prompt.indexOf('Well?'));
  });

  it('M10: names the picture of a tool that a model without eyes cannot take', async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } };
    const response = await postMessages(
      stack.url,
      messagesBody('', {
        messages: [
          user('Look.'),
          assistant([{ type: 'tool_use', id: 'a', name: 'get_weather', input: {} }]),
          user([{ type: 'tool_result', tool_use_id: 'a', content: [image] }]),
        ],
      }),
    );
    expect(response.status).toBe(400);
    expect(errorBodySchema.parse(await response.json()).error.message).toContain('messages[2].content[0].content[0]');
  });

  it('M11: keeps instructions in their place, and no accounting among them', async () => {
    await askMessage(stack.url, '', {
      system: [
        { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.330; cch=abc;' },
        { type: 'text', text: 'Be terse.', cache_control: { type: 'ephemeral' } },
      ],
      messages: [user('First.'), { role: 'system', content: 'Be kind.' }, user('Second.')],
    });
    const prompt = lastPrompt(stack);
    const places = ['Be terse.', 'First.', 'Be kind.', 'Second.'].map((words) => prompt.indexOf(words));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(prompt).not.toContain('billing');
  });

  it('M12: takes what coding agents send, betas and all', async () => {
    const response = await postMessages(
      stack.url,
      messagesBody('hi', {
        metadata: { user_id: '{"device_id":"d","session_id":"s"}' },
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
        output_config: { effort: 'medium' },
        thinking: { type: 'adaptive', display: 'updates' },
        service_tier: 'auto',
        speed: 'fast',
        fallbacks: [],
        some_future_field: { deep: [1] },
      }),
      {
        path: '/v1/messages?beta=true',
        headers: {
          'anthropic-beta': 'claude-code-20250219,of-next-year-2027-01-01',
          'anthropic-version': '2026-10-21',
        },
      },
    );
    expect(response.status).toBe(200);
    expect(response.headers.get('x-gateway-ignored-params')).toContain('some_future_field');
    expect(messageSchema.parse(await response.json()).content.at(-1)).toMatchObject({ type: 'text', text: said });
  });

  it('M13: passes over tools that it cannot run, and hides those that nobody found', async () => {
    await askMessage(stack.url, 'hi', {
      tools: [
        weather,
        { ...weather, name: 'get_news', defer_loading: true },
        { type: 'bash_20250124', name: 'bash' },
        { type: 'web_search_20260318', name: 'web_search' },
        { type: 'of_next_year_20270101', name: 'magic' },
      ],
    });
    expect(lastPrompt(stack)).toContain('get_weather');
    expect(lastPrompt(stack)).not.toMatch(/get_news|magic/);
  });

  it('cites the pages of a search', async () => {
    const fields = { tools: [{ type: 'web_search_20260318', name: 'web_search' }] };
    const whole = await askMessage(stack.url, scenario('search-results'), fields);
    expect(completions(stack).at(-1)?.body).toMatchObject({ features: { web_search: true } });
    const [block] = whole.content;
    expect(block).toMatchObject({ type: 'text', citations: [{ title: 'Example' }, { title: 'Second' }] });
    const streamed = foldMessageEvents(await askMessageEvents(stack.url, scenario('search-results'), fields));
    expect(streamed.content).toEqual(whole.content);
  });

  it('M14: ends at a stop sequence', async () => {
    const fields = { stop_sequences: ['GLM', 'never'] };
    const whole = await askMessage(stack.url, 'hi', fields);
    expect(whole).toMatchObject({
      stop_reason: 'stop_sequence',
      stop_sequence: 'GLM',
      content: [{ text: 'Hello from ' }],
    });
    expect(foldMessageEvents(await askMessageEvents(stack.url, 'hi', fields))).toEqual({
      ...whole,
      id: expect.any(String),
    });
  });

  it('M15: estimates the input first and has totals last', async () => {
    const events = await askMessageEvents(stack.url, 'hi');
    const start = events.find((event) => event.type === 'message_start');
    const end = events.find((event) => event.type === 'message_delta');
    expect(start?.message.usage.input_tokens).toBeGreaterThan(0);
    expect(end?.usage).toMatchObject({ input_tokens: 1, output_tokens: 7, cache_read_input_tokens: 0 });
  });

  it('answers a prewarming request itself, with nothing', async () => {
    const before = completions(stack).length;
    expect(await askMessage(stack.url, 'hi', { max_tokens: 0 })).toMatchObject({
      content: [],
      stop_reason: 'max_tokens',
    });
    const events = await askMessageEvents(stack.url, 'hi', { max_tokens: 0 });
    expect(foldMessageEvents(events)).toMatchObject({ content: [], usage: { output_tokens: 0 } });
    expect(completions(stack)).toHaveLength(before);
  });

  it.each([
    ['claude-opus-5-5', 'glm-4.7'],
    ['claude-haiku-4-5-20251001', 'glm-4.7'],
    ['claude-glm-5', 'glm-5'],
    ['Claude-GLM-5-thinking', 'glm-5'],
  ])('M23: answers as %s by %s', async (model, upstreamModel) => {
    expect(await askMessage(stack.url, 'hi', { model })).toMatchObject({ model });
    const [start] = await askMessageEvents(stack.url, 'hi', { model });
    expect(start).toMatchObject({ message: { model } });
    expect(completions(stack).at(-1)?.body).toMatchObject({ model: upstreamModel });
  });

  it('M23: maps families as it is configured', async () => {
    await using mapped = await startStack({
      env: { ZAI_MODEL_ALIASES: 'claude-*opus*=glm-5.2,claude-*haiku*=glm-5-turbo', ZAI_MODEL_NAME: 'glm-5' },
    });
    for (const [model, upstreamModel] of [
      ['claude-opus-5-5', 'glm-5.2'],
      ['claude-haiku-5-5', 'GLM-5-Turbo'],
      ['claude-sonnet-5', 'glm-5'],
    ]) {
      expect(await askMessage(mapped.url, 'hi', { model })).toMatchObject({ model });
      expect(completions(mapped).at(-1)?.body).toMatchObject({ model: upstreamModel });
    }
  });

  it.each(['/messages', '/v1/v1/messages', '/anthropic/v1/messages', '/api/anthropic/v1/messages', '/v1/messages/'])(
    'H19: is at %s, too',
    async (path) => {
      const response = await postMessages(stack.url, messagesBody('hi'), { path });
      expect(messageSchema.parse(await response.json()).content).toMatchObject([{ text: said }]);
      const wrong = await fetch(stack.url + path);
      expect(wrong.status).toBe(405);
      expect(errorBodySchema.parse(await wrong.json()).error.type).toBe('invalid_request_error');
    },
  );
});
