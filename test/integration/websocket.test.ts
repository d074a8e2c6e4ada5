import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { scenario } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const key = 'sk-socket';
const model = 'glm-4.7-nothinking';
const said = 'Hello from GLM. You said: hi';
const patience = { withinMs: 5_000 };

interface SocketEvent {
  readonly type: string;
  readonly stream_id?: string;
  readonly sequence_number?: number;
  readonly status?: number;
  readonly delta?: string;
  readonly error?: { readonly code: string | null; readonly message: string; readonly param: string | null };
  readonly response?: {
    readonly id: string;
    readonly status: string;
    readonly previous_response_id: string | null;
    readonly output: readonly unknown[];
  };
}

/** A client that keeps every event. */
interface SocketClient {
  readonly socket: WebSocket;
  readonly events: readonly SocketEvent[];
  send(frame: unknown): void;
  /** Resolves with the first event from number `from` on that fits. */
  next(fits: (event: SocketEvent) => boolean, from?: number): Promise<SocketEvent>;
  /** Sends a request and resolves with the event that ends it. */
  ask(fields: Readonly<Record<string, unknown>>): Promise<SocketEvent>;
}

const isEnd = ({ type }: SocketEvent): boolean => /^(error|response\.(completed|incomplete|failed))$/.test(type);

describe('responses over a WebSocket', () => {
  let stack: Stack;
  const clients: WebSocket[] = [];
  beforeEach(async () => {
    stack = await startStack({ env: { ZAI_API_KEY: key, ZAI_ANON_TOKEN_CONCURRENCY: '5' } });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.terminate();
    await stack.close();
  });

  function open(
    path = '/v1/responses',
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${key}` },
  ) {
    const socket = new WebSocket(stack.url.replace('http', 'ws') + path, { headers });
    // Also one that never opened is cut at the end.
    socket.on('error', () => undefined);
    clients.push(socket);
    return socket;
  }

  async function connect(path?: string): Promise<SocketClient> {
    const socket = open(path);
    const events: SocketEvent[] = [];
    socket.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(false);
      events.push(JSON.parse(data.toString()) as SocketEvent);
    });
    await once(socket, 'open');
    const send = (frame: unknown): void => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    const next: SocketClient['next'] = async (fits, from = 0) => {
      await waitFor(() => events.slice(from).some(fits), patience);
      return events.slice(from).find(fits)!;
    };
    return {
      socket,
      events,
      send,
      next,
      ask(fields) {
        const from = events.length;
        send({ type: 'response.create', model, store: false, ...fields });
        return next(isEnd, from);
      },
    };
  }

  /** Status and body of a refused upgrade. */
  async function refusal(socket: WebSocket): Promise<{ status: number; code: string | null }> {
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      NodeJS.ReadableStream & { statusCode: number },
    ];
    const body = await text(response);
    return { status: response.statusCode, code: (JSON.parse(body) as { error: { code: string | null } }).error.code };
  }

  const prompts = (): string[] =>
    stack.upstream.log
      .filter(({ path }) => path.endsWith('/completions'))
      .map(({ body }) => (body as { signature_prompt: string }).signature_prompt);

  it('W01: is refused before the upgrade without a key, with a wrong one, and elsewhere', async () => {
    expect(await refusal(open(undefined, {}))).toMatchObject({ status: 401 });
    expect(await refusal(open(undefined, { authorization: 'Bearer sk-wrong' }))).toEqual({
      status: 401,
      code: 'invalid_api_key',
    });
    expect(await refusal(open('/v1/chat/completions'))).toMatchObject({ status: 404 });
    expect(await refusal(open('/v1/nothing'))).toMatchObject({ status: 404 });
  });

  it('W03: sends the events of a stream, one frame each, without an end marker', async () => {
    const client = await connect();
    const last = await client.ask({ input: 'hi' });
    expect(last).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
    expect(client.events.map(({ sequence_number: number }) => number)).toEqual(
      client.events.map((_event, index) => index),
    );
    expect(client.events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress']);
    const pieces = client.events.flatMap(({ type, delta }) => (type === 'response.output_text.delta' ? [delta] : []));
    expect(pieces.join('')).toBe(said);
    expect(await stack.metric('zai_gateway_websocket_connections')).toBe(1);
  });

  it.each(['/responses', '/v1/v1/responses', '/openai/v1/responses', '/v1/responses/?api-version=1'])(
    'is served at %s, too',
    async (path) => {
      expect((await (await connect(path)).ask({ input: 'hi' })).type).toBe('response.completed');
    },
  );

  it('W04: is warmed up without the upstream, and gone on from', async () => {
    const client = await connect();
    const rule = { type: 'message', role: 'developer', content: 'Be kind.' };
    const warm = await client.ask({ input: [rule], generate: false });
    expect(client.events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.completed',
    ]);
    expect(warm.response).toMatchObject({ status: 'completed', output: [] });
    expect(prompts()).toEqual([]);
    const answer = await client.ask({ input: 'hi', previous_response_id: warm.response!.id });
    expect(answer.response).toMatchObject({ status: 'completed', previous_response_id: warm.response!.id });
    expect(prompts()).toEqual([expect.stringContaining('Be kind.')]);
  });

  it('W05: goes on from what nobody stored, with the whole context', async () => {
    const client = await connect();
    const first = await client.ask({ input: 'My name is Ann.' });
    const second = await client.ask({ input: 'And I am nine.', previous_response_id: first.response!.id });
    await client.ask({ input: 'Who am I?', previous_response_id: second.response!.id });
    const prompt = prompts().at(-1)!;
    const places = ['My name is Ann.', 'You said: My name', 'And I am nine.', 'Who am I?'].map((text) =>
      prompt.indexOf(text),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(-1);
  });

  it('W06: does not know the responses of another connection, and stays open', async () => {
    const { response } = await (await connect()).ask({ input: 'hi' });
    const other = await connect();
    const refused = await other.ask({ input: 'hi', previous_response_id: response!.id });
    expect(refused).toMatchObject({ type: 'error', status: 400, error: { code: 'previous_response_not_found' } });
    expect((await other.ask({ input: 'hi' })).type).toBe('response.completed');
  });

  it('W07: answers in order within a lane, and lanes beside each other', async () => {
    const client = await connect();
    const slow = scenario('slow frames=6 delay=30');
    client.send({ type: 'response.create', model, store: false, input: slow });
    client.send({ type: 'response.create', model, store: false, input: 'hi' });
    await waitFor(() => client.events.filter(isEnd).length === 2, patience);
    const ids = client.events.flatMap(({ type, response }) => (type === 'response.created' ? [response!.id] : []));
    const firstEnd = client.events.findIndex(isEnd);
    expect(client.events[firstEnd]!.response!.id).toBe(ids[0]);
    expect(client.events.findIndex(({ response }) => response?.id === ids[1])).toBeGreaterThan(firstEnd);

    const from = client.events.length;
    client.send({ type: 'response.create', model, store: false, input: slow, stream_id: 'a' });
    client.send({ type: 'response.create', model, store: false, input: 'hi', stream_id: 'b' });
    await waitFor(() => client.events.slice(from).filter(isEnd).length === 2, patience);
    const events = client.events.slice(from);
    expect(new Set(events.map(({ stream_id: lane }) => lane))).toEqual(new Set(['a', 'b']));
    expect(events.filter(isEnd).map(({ stream_id: lane }) => lane)).toEqual(['b', 'a']);
  });

  it.each([
    ['no JSON', '{', null],
    ['no object', '[]', null],
    ['an unknown type', { type: 'response.steer' }, 'type'],
    ['a bad lane', { type: 'response.create', stream_id: 'a b' }, 'stream_id'],
    ['a faulty request', { type: 'response.create', model, input: 5 }, 'input'],
  ])('W08: says what is wrong with %s, and stays open', async (_what, frame, param) => {
    const client = await connect();
    client.send(frame);
    const event = await client.next(() => true);
    expect(event).toMatchObject({ type: 'error', status: 400, error: { type: 'invalid_request_error', param } });
    client.send({ type: 'response.processed', response_id: 'resp_1' });
    expect((await client.ask({ input: 'hi' })).type).toBe('response.completed');
  });

  it('W08: closes at a binary frame', async () => {
    const { socket } = await connect();
    socket.send(Buffer.from('{}'));
    expect((await once(socket, 'close'))[0]).toBe(1003);
  });

  it.each(['before', 'after'])(
    'W09: ends the upstream call when the client vanishes %s the first token',
    async (when) => {
      const client = await connect();
      client.send({ type: 'response.create', model, store: false, input: scenario(`stall-${when}-content`) });
      await stack.upstream.waitForRequest(({ path }) => path.endsWith('/completions'), patience.withinMs);
      if (when === 'after') await client.next(({ type }) => type === 'response.output_text.delta');
      const leftAtMs = Date.now();
      client.socket.terminate();
      const seen = await stack.upstream.waitForAbort(({ path }) => path.endsWith('/completions'), patience.withinMs);
      expect(seen.abortedAtMs! - leftAtMs).toBeLessThan(1_000);
      await waitFor(async () => (await stack.metric('zai_gateway_websocket_connections')) === 0, patience);
      await waitFor(async () => (await stack.metric('zai_translator_running_turns')) === 0, patience);
    },
  );

  it('W10: finishes what runs when the service stops, takes nothing new, and closes', async () => {
    const client = await connect();
    client.send({ type: 'response.create', model, store: false, input: scenario('slow frames=10 delay=50') });
    await client.next(({ type }) => type === 'response.output_text.delta');
    const closed = once(client.socket, 'close');
    const stopping = stack.close();
    // Whatever comes before the stop has got this far is still answered.
    await waitFor(() => {
      client.send({ type: 'response.create', model, store: false, input: 'hi', stream_id: 'late' });
      return client.events.some(({ type }) => type === 'error');
    }, patience);
    expect(await client.next(({ type }) => type === 'error')).toMatchObject({
      error: { code: 'websocket_connection_limit_reached' },
    });
    expect(
      (await client.next(({ type, stream_id: lane }) => type === 'response.completed' && lane === undefined)).response
        ?.status,
    ).toBe('completed');
    expect((await closed)[0]).toBe(1001);
    await stopping;
  });

  it('tells a busy upstream with the time to come back', async () => {
    const client = await connect();
    const event = await client.ask({ input: scenario('error-model-busy') });
    expect(event).toMatchObject({
      type: 'error',
      status: 429,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    });
  });

  it('passes the limits of a POST', async () => {
    await using limited = await startStack({ env: { ZAI_MAX_CONCURRENT_REQUESTS: '1', ZAI_QUEUE_TIMEOUT: '0.05' } });
    const socket = new WebSocket(`${limited.url.replace('http', 'ws')}/v1/responses`);
    clients.push(socket);
    const events: SocketEvent[] = [];
    socket.on('message', (data: Buffer) => events.push(JSON.parse(data.toString()) as SocketEvent));
    await once(socket, 'open');
    for (const lane of ['a', 'b']) {
      socket.send(
        JSON.stringify({ type: 'response.create', model, input: scenario('stall-before-content'), stream_id: lane }),
      );
    }
    await waitFor(() => events.some(({ type }) => type === 'error'), patience);
    expect(events).toEqual([expect.objectContaining({ status: 429, stream_id: 'b' })]);
  });
});

describe('where WebSockets are off', () => {
  it('W02: an upgrade is answered 426, and HTTP goes on', async () => {
    await using stack = await startStack({ env: { ZAI_WEBSOCKET_ENABLED: 'false' } });
    const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/v1/responses`);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number; resume(): void },
    ];
    response.resume();
    expect(response.statusCode).toBe(426);
    const headers = { 'content-type': 'application/json', connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' };
    const request = http.request(`${stack.url}/v1/responses`, { method: 'POST', headers });
    request.end(JSON.stringify({ model, input: 'hi' }));
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(JSON.parse(await text(answer))).toMatchObject({ status: 'completed' });
  });

  it('pages of foreign origins may not connect where origins are named', async () => {
    await using stack = await startStack({ env: { ZAI_CORS_ORIGINS: 'https://app.example' } });
    const open = (origin: string) => new WebSocket(`${stack.url.replace('http', 'ws')}/v1/responses`, { origin });
    const [, response] = (await once(open('https://evil.example'), 'unexpected-response')) as [
      unknown,
      { statusCode: number; resume(): void },
    ];
    response.resume();
    expect(response.statusCode).toBe(403);
    const allowed = open('https://app.example');
    await once(allowed, 'open');
    allowed.terminate();
  });
});
