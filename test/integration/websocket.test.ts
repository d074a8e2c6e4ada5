import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { scenario } from '../support/chat-client.ts';
import { openResponsesSocket, outputText, refusedUpgrade, type ResponsesSocket } from '../support/responses-socket.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(30_000);

const key = 'sk-websocket-0123456789';
const keyed = { authorization: `Bearer ${key}` };
const model = 'glm-4.7-nothinking';
const said = 'Hello from GLM. You said: hi';
const maxAbortMs = 2_000;

const create = (input: unknown, fields: Readonly<Record<string, unknown>> = {}) => ({
  type: 'response.create',
  model,
  input,
  store: false,
  ...fields,
});
const message = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const isCompletion = ({ path }: { path: string }): boolean => path === '/api/v2/chat/completions';

describe('Responses over WebSocket', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ env: { ZAI_API_KEY: key } });
  });
  afterAll(() => stack.close());
  const open = (): Promise<ResponsesSocket> => openResponsesSocket(stack.url, keyed);
  const upstreamTurns = (): number => stack.upstream.log.filter(isCompletion).length;
  const lastPrompt = (): string => JSON.stringify(stack.upstream.log.findLast(isCompletion));

  it.each<[string, Record<string, string>, string | null]>([
    ['without a key', {}, 'invalid_api_key'],
    ['with a wrong key', { authorization: 'Bearer wrong' }, 'invalid_api_key'],
    ['with another scheme', { authorization: `Basic ${key}` }, 'invalid_api_key'],
  ])('W01: an upgrade %s is 401', async (_what, headers, code) => {
    const refused = await refusedUpgrade(stack.url, headers);
    expect(refused).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer', 'x-request-id': expect.stringMatching(/^req_/) },
      body: { error: { type: 'invalid_request_error', code } },
    });
  });

  it.each(['/v1/chat/completions', '/v1/nothing'])('W01: an upgrade of %s is 404', async (path) => {
    expect(await refusedUpgrade(stack.url, keyed, path)).toMatchObject({
      status: 404,
      body: { error: { code: null } },
    });
  });

  it('W03: a create is answered by the events of an event stream, as text frames without an end mark', async () => {
    using client = await open();
    client.send(create('hi'));
    const events = await client.until('response.completed');
    const streamed = await fetch(`${stack.url}/v1/responses`, {
      method: 'POST',
      headers: { ...keyed, 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: 'hi', store: false, stream: true }),
    });
    const types = [...(await streamed.text()).matchAll(/^event: (.+)$/gm)].map(([, type]) => type);
    const withoutDeltas = (all: readonly (string | undefined)[]) => all.filter((type) => !type?.endsWith('.delta'));
    expect(withoutDeltas(events.map(({ type }) => type))).toEqual(withoutDeltas(types));
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(outputText(events)).toBe(said);
    expect(events.every((event) => event.stream_id === undefined)).toBe(true);
  });

  it('W03: the official client reads it', async () => {
    const client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key });
    const socket = new ResponsesWS(client);
    const text = await new Promise<string>((resolve, reject) => {
      let joined = '';
      socket.on('response.output_text.delta', ({ delta }) => (joined += delta));
      socket.on('response.completed', () => resolve(joined));
      socket.on('error', reject);
      socket.send({ type: 'response.create', model, input: 'hi', store: false });
    });
    socket.close();
    expect(text).toBe(said);
  });

  it('W04: generate:false is answered with an id and without the upstream', async () => {
    using client = await open();
    const before = upstreamTurns();
    client.send(create([message('Be brief.')], { generate: false, tools: [] }));
    const events = await client.until('response.completed');
    expect(events.map(({ type }) => type)).toEqual(['response.created', 'response.in_progress', 'response.completed']);
    const { response } = events.at(-1) ?? {};
    expect(response).toMatchObject({ id: expect.stringMatching(/^resp_/), output: [], usage: { total_tokens: 0 } });
    expect(upstreamTurns()).toBe(before);

    client.send(create([message('hi')], { previous_response_id: response?.id }));
    const answer = await client.until('response.completed');
    expect(answer.at(-1)?.response).toMatchObject({ previous_response_id: response?.id });
    expect(lastPrompt()).toMatch(/Be brief\..*hi/);
  });

  it('W05: a create goes on from the latest response of the connection, which is stored nowhere', async () => {
    using client = await open();
    client.send(create([message('My name is Ada.')]));
    const first = (await client.until('response.completed')).at(-1)?.response;
    client.send(create([message('What is my name?')], { previous_response_id: first?.id }));
    const second = (await client.until('response.completed')).at(-1)?.response;
    expect(lastPrompt()).toMatch(/My name is Ada\..*Hello from GLM.*What is my name/s);
    expect(second).toMatchObject({ previous_response_id: first?.id, store: false });
    client.send(create('And now?', { previous_response_id: second?.id }));
    const third = await client.until('response.completed');
    expect(third.at(-1)?.type).toBe('response.completed');
    expect(lastPrompt()).toMatch(/My name is Ada\..*What is my name.*And now/s);
    // Of each lane the latest alone is kept.
    client.send(create('Again', { previous_response_id: first?.id }));
    expect((await client.until('error')).at(-1)).toMatchObject({ error: { code: 'previous_response_not_found' } });
  });

  it('W05: one that is stored can be gone on from, here and over HTTP', async () => {
    using client = await open();
    client.send(create('My name is Bob.', { store: true }));
    const first = (await client.until('response.completed')).at(-1)?.response;
    expect(first).toMatchObject({ store: true });
    client.send(create('Who am I?', { previous_response_id: first?.id }));
    const second = (await client.until('response.completed')).at(-1)?.response;
    expect(lastPrompt()).toMatch(/My name is Bob\..*Who am I/s);
    client.send(create('Really?', { previous_response_id: second?.id }));
    expect((await client.until('response.completed')).at(-1)?.type).toBe('response.completed');
    expect(lastPrompt()).toMatch(/My name is Bob\..*Who am I.*Really/s);
  });

  it('W06: the same id on another connection is an error frame, and the connection stays', async () => {
    using first = await open();
    first.send(create('hi'));
    const id = (await first.until('response.completed')).at(-1)?.response?.id;
    using second = await open();
    second.send(create('hi', { previous_response_id: id }));
    expect(await second.next()).toMatchObject({
      type: 'error',
      status: 400,
      error: { type: 'invalid_request_error', code: 'previous_response_not_found', param: 'previous_response_id' },
      headers: { 'x-request-id': expect.stringMatching(/^req_/) },
    });
    second.send(create('hi'));
    expect(outputText(await second.until('response.completed'))).toBe(said);
  });

  it('W07: creates without a lane run one after the other', async () => {
    using client = await open();
    client.send(create(scenario('plain', 'one')));
    client.send(create('hi'));
    const first = await client.until('response.completed');
    const second = await client.until('response.completed');
    const ids = (events: typeof first) => new Set(events.map(({ response }) => response?.id).filter(Boolean));
    expect([ids(first).size, ids(second).size]).toEqual([1, 1]);
    expect(second.map((event) => event.sequence_number)).toEqual(second.map((_, index) => index));
  });

  it('W07: lanes run at the same time, and each event says its lane', async () => {
    using client = await open();
    client.send(create(scenario('stall-after-content'), { stream_id: 'slow' }));
    await client.until('response.output_text.delta', 'slow');
    client.send(create('hi', { stream_id: 'quick.1' }));
    const events = await client.until('response.completed', 'quick.1');
    const quick = events.filter((event) => event.stream_id === 'quick.1');
    expect(outputText(quick)).toBe(said);
    expect(events.every((event) => event.stream_id === 'quick.1' || event.stream_id === 'slow')).toBe(true);
  });

  it.each<[string, unknown, Record<string, unknown>]>([
    ['no JSON', '{', { message: 'The body is not valid JSON.' }],
    ['no object', '[]', {}],
    ['an unknown type', '{"type":"response.steer"}', { param: 'type' }],
    ['no type', '{}', { param: 'type' }],
    ['a wrong lane', create('hi', { stream_id: 'a b' }), { param: 'stream_id' }],
    ['a wrong previous id', create('hi', { previous_response_id: 5 }), { param: 'previous_response_id' }],
    ['a wrong input', create(5), { param: 'input' }],
    ['a wrong field', create('hi', { temperature: 'x' }), { param: 'temperature' }],
    ['a wrong field of a prewarm', create('hi', { temperature: 'x', generate: false }), { param: 'temperature' }],
    ['nested too deep', `${'['.repeat(300)}${']'.repeat(300)}`, {}],
  ])('W08: %s is an error frame, and the connection stays', async (_what, event, error) => {
    using client = await open();
    client.send(event as string);
    expect(await client.next()).toMatchObject({
      type: 'error',
      status: 400,
      error: { type: 'invalid_request_error', ...error },
    });
    client.send('{"type":"response.processed","response_id":"resp_1"}');
    client.send(create('hi'));
    expect(outputText(await client.until('response.completed'))).toBe(said);
  });

  it('W08: a binary frame closes with 1003', async () => {
    using client = await open();
    client.socket.send(Buffer.from('{}'));
    expect(await client.closed).toBe(1003);
  });

  it('W08: a frame that is too large closes with 1009', async () => {
    await using small = await startStack({ env: { ZAI_MAX_BODY_BYTES: '2000' } });
    using client = await openResponsesSocket(small.url);
    client.send(create('x'.repeat(3_000)));
    expect(await client.closed).toBe(1009);
  });

  it('W09: a client that vanishes aborts the upstream, and nothing of it is left', async () => {
    const client = await open();
    client.send(create(scenario('stall-after-content')));
    await client.until('response.output_text.delta');
    const leftAtMs = Date.now();
    client.socket.terminate();
    const { abortedAtMs = Infinity } = await stack.upstream.waitForAbort(isCompletion, 2_000);
    expect(abortedAtMs - leftAtMs).toBeLessThan(maxAbortMs);
    await waitFor(async () => (await stack.metric('zai_gateway_websocket_connections')) === 0, { withinMs: 2_000 });
    expect(await stack.metric('zai_gateway_inflight_requests')).toBe(0);
  });

  it('W09: a client that vanishes before the first token aborts the upstream, too', async () => {
    const isIt = (request: { readonly path: string; readonly body: unknown }): boolean =>
      isCompletion(request) && JSON.stringify(request.body).includes('stall-before-content');
    const client = await open();
    client.send(create(scenario('stall-before-content')));
    await stack.upstream.waitForRequest(isIt, 5_000);
    const leftAtMs = Date.now();
    client.socket.terminate();
    const { abortedAtMs = Infinity } = await stack.upstream.waitForAbort(isIt, 2_000);
    expect(abortedAtMs - leftAtMs).toBeLessThan(maxAbortMs);
    await waitFor(async () => (await stack.metric('zai_translator_running_turns')) === 0, { withinMs: 2_000 });
  });

  it('errors of the upstream come as error frames before the answer, and as events within it', async () => {
    using client = await open();
    client.send(create(scenario('error-model-busy')));
    expect(await client.next()).toMatchObject({
      type: 'error',
      status: 429,
      error: { type: 'rate_limit_error', code: 'model_busy' },
      headers: { 'retry-after': '10' },
    });
    client.send(create(scenario('error-internal-after-content')));
    const events = await client.until('response.failed');
    expect(events.at(-1)?.type).toBe('response.failed');
  });

  it('reads compressed frames', async () => {
    using client = await openResponsesSocket(stack.url, keyed, { perMessageDeflate: { threshold: 0 } });
    expect(client.socket.extensions).toContain('permessage-deflate');
    client.send(create('hi'));
    expect(outputText(await client.until('response.completed'))).toBe(said);
  });

  it.each(['/responses', '/v1/v1/responses/', '/openai/v1/responses?x=1', '/api/v1/responses'])(
    'H19: %s is the same endpoint',
    async (path) => {
      const address = new URL(path, stack.url);
      using client = await openResponsesSocket(address.href.replace(/\/?(\?.*)?$/, ''), keyed);
      client.send(create('hi', { generate: false }));
      expect((await client.until('response.completed')).at(-1)?.type).toBe('response.completed');
    },
  );

  it('is logged once per connection and once per response, without keys and prompts', async () => {
    const client = await open();
    client.send(create('a very secret prompt'));
    await client.until('response.completed');
    const before = stack.logLines().length;
    client.socket.close(1000);
    const line = await waitFor(
      () =>
        stack
          .logLines()
          .slice(before)
          .find(({ msg }) => msg === 'websocket'),
      {
        withinMs: 2_000,
      },
    );
    expect(line).toMatchObject({ path: '/v1/responses', closeCode: 1000, responses: 1 });
    expect(stack.logText()).not.toContain(key);
    expect(stack.logText()).not.toContain('very secret');
  });
});

describe('settings of WebSocket', () => {
  it('W02: switched off, upgrades are 426 and POST goes on', async () => {
    await using stack = await startStack({ env: { ZAI_WEBSOCKET_ENABLED: 'false' } });
    expect(await refusedUpgrade(stack.url)).toMatchObject({
      status: 426,
      body: { error: { code: 'unsupported_endpoint' } },
    });
    const response = await fetch(`${stack.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: 'hi' }),
    });
    expect(response.status).toBe(200);
  });

  it('each create counts against the rate of its key, and no prewarm does', async () => {
    await using stack = await startStack({ env: { ZAI_API_KEY: key, ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: '1' } });
    using client = await openResponsesSocket(stack.url, keyed);
    for (let prewarm = 0; prewarm < 3; prewarm++) {
      client.send(create('hi', { generate: false }));
      expect((await client.until('response.completed')).at(-1)?.type).toBe('response.completed');
    }
    client.send(create('hi'));
    expect((await client.until('response.completed')).at(-1)?.type).toBe('response.completed');
    client.send(create('hi'));
    expect(await client.next()).toMatchObject({
      type: 'error',
      status: 429,
      error: { code: 'rate_limit_exceeded' },
      headers: { 'retry-after': expect.stringMatching(/^\d+$/), 'x-ratelimit-remaining-requests': '0' },
    });
  });

  it('each create waits for a slot as a POST does', async () => {
    await using stack = await startStack({ env: { ZAI_MAX_CONCURRENT_REQUESTS: '1', ZAI_QUEUE_TIMEOUT: '0.05' } });
    using client = await openResponsesSocket(stack.url);
    for (const lane of ['a', 'b']) client.send(create(scenario('stall-before-content'), { stream_id: lane }));
    expect(await client.next()).toMatchObject({
      stream_id: 'b',
      status: 429,
      error: { code: 'concurrency_limit_exceeded' },
    });
  });

  it('takes no more connections than allowed, and none of foreign pages', async () => {
    await using stack = await startStack({
      env: { ZAI_WEBSOCKET_MAX_CONNECTIONS: '1', ZAI_CORS_ORIGINS: 'https://app.example' },
    });
    expect(await refusedUpgrade(stack.url, { origin: 'https://evil.example' })).toMatchObject({ status: 403 });
    const client = await openResponsesSocket(stack.url, { origin: 'https://app.example' });
    expect(await refusedUpgrade(stack.url)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { error: { code: 'too_many_connections' } },
    });
    client.socket.close();
    await client.closed;
    await waitFor(async () => (await stack.metric('zai_gateway_websocket_connections')) === 0, { withinMs: 2_000 });
    using next = await openResponsesSocket(stack.url);
    expect(next.socket.readyState).toBe(next.socket.OPEN);
  });

  it('an upgrade to another protocol is an ordinary request', async () => {
    await using stack = await startStack();
    const { hostname, port } = new URL(stack.url);
    const ask = async (path: string): Promise<number | undefined> => {
      const request = get({ hostname, port, path, headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' } });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    expect([await ask('/health'), await ask('/v1/models'), await ask('/v1/responses')]).toEqual([200, 200, 405]);
  });
});

describe('the stop', () => {
  it('W10: lets the running response finish, refuses new ones, and closes with 1001', async () => {
    await using stack = await startStack({ env: { ZAI_SHUTDOWN_TIMEOUT: '20' } });
    using client = await openResponsesSocket(stack.url);
    using idle = await openResponsesSocket(stack.url);
    client.send(create(scenario('slow frames=40 delay=25')));
    await client.until('response.output_text.delta');
    const stopped = stack.close();
    expect(await idle.closed).toBe(1001);
    client.send(create('one more'));
    const events = await client.until('error');
    expect(events.at(-1)).toMatchObject({ status: 400, error: { code: 'websocket_connection_limit_reached' } });
    const rest = await client.until('response.completed');
    expect(rest.at(-1)?.type).toBe('response.completed');
    expect(await client.closed).toBe(1001);
    await stopped;
  });
});

describe('gateway and translator as processes', () => {
  let upstream: FakeUpstream;
  let translator: ServiceProcess;
  let gateway: ServiceProcess;
  beforeAll(async () => {
    upstream = await startFakeUpstream();
    translator = startProcess('chat-translator', {
      ZAI_API_BASE: upstream.url,
      ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
      ZAI_TRANSLATOR_HOST: '127.0.0.1',
      ZAI_TRANSLATOR_PORT: '0',
    });
    gateway = startProcess('gateway', { ZAI_PORT: '0', ZAI_TRANSLATOR_URL: urlOf(await translator.listening) });
    await gateway.listening;
  }, 60_000);
  afterAll(() => Promise.all([gateway.close(), translator.close(), upstream.close()]));

  it('W03, W05, W09: do the same', async () => {
    using client = await openResponsesSocket(urlOf(await gateway.listening));
    client.send(create([message('My name is Ada.')]));
    const first = (await client.until('response.completed')).at(-1)?.response;
    client.send(create('hi', { previous_response_id: first?.id }));
    expect((await client.until('response.completed')).at(-1)?.type).toBe('response.completed');
    expect(JSON.stringify(upstream.log.findLast(isCompletion))).toContain('My name is Ada.');
    client.send(create(scenario('stall-after-content')));
    await client.until('response.output_text.delta');
    const leftAtMs = Date.now();
    client.socket.terminate();
    const { abortedAtMs = Infinity } = await upstream.waitForAbort(isCompletion, 2_000);
    expect(abortedAtMs - leftAtMs).toBeLessThan(maxAbortMs);
  });

  it('a translator that dies within an answer is an error frame, and the connection stays', async () => {
    using client = await openResponsesSocket(urlOf(await gateway.listening));
    client.send(create(scenario('stall-after-content')));
    await client.until('response.output_text.delta');
    translator.kill('SIGKILL');
    const frame = (await client.until('error')).at(-1);
    expect(frame).toMatchObject({ type: 'error', error: { type: 'server_error', message: expect.any(String) } });
    client.send(create('hi'));
    expect(await client.next()).toMatchObject({ type: 'error', status: 502 });
  });
});
