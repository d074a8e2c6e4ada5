import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { turnBodies } from '../support/dialect-bodies.ts';
import { openResponsesSocket } from '../support/responses-socket.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';

/** Starting processes from sources takes a second or two of a busy machine. */
jest.setTimeout(60_000);

const keys = { a: 'sk-of-team-a', a2: 'sk-of-team-a-too', b: 'sk-of-team-b', nobody: 'sk-of-nobody' };
type Key = keyof typeof keys;
const as = (key: Key): Record<string, string> => ({ authorization: `Bearer ${keys[key]}` });

let upstream: FakeUpstream;
let translator: ServiceProcess;
let gateway: ServiceProcess;
let url: string;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  translator = startProcess('chat-translator', {
    ZAI_UPSTREAMS: 'platform',
    ZAI_PLATFORM_API_KEY: 'platform-key',
    ZAI_PLATFORM_BASE: `${upstream.url}/api/paas/v4`,
    ZAI_TRANSLATOR_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_PORT: '0',
    ZAI_RETRY_BUDGET: '5',
    ZAI_MODEL_ALIASES:
      'gpt-4o=glm-5, team-a gpt-4o=glm-4.7, team-a private=glm-4.6, team-b claude-*=glm-4.5-air, team-b embed=embedding-2, team-b paint=cogview-4',
    ZAI_MODEL_FALLBACKS: 'glm-5=glm-4.5, team-a glm-4.7=glm-4.6',
  });
  gateway = startProcess('gateway', {
    ZAI_PORT: '0',
    ZAI_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_URL: urlOf(await translator.listening),
    ZAI_API_KEY: `team-a ${keys.a}, Team-A ${keys.a2}, team-b ${keys.b}, ${keys.nobody}`,
  });
  url = urlOf(await gateway.listening);
});
afterAll(async () => {
  await gateway.close();
  await translator.close();
  await upstream.close();
});
beforeEach(() => upstream.configure({ platformFault: null, platformModelFaults: {} }));

/** The models that were asked for since. */
const askedSince = (count: number): unknown[] =>
  upstream.log
    .slice(count)
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => (body as { model?: string }).model);

async function post(key: Key, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...as(key), ...headers },
    body: JSON.stringify(body),
  });
}

const kept = turnBodies('hi').flatMap(({ path, body }) =>
  path === '/v1/responses' ? [{ path, body: { ...body, store: true } }] : [],
);
const dialects = [...turnBodies('hi'), ...kept].flatMap(({ path, body }) => [
  { path, body, form: `streamed${body['store'] === true ? ' and kept' : ''}` },
  { path, body: { ...body, stream: false }, form: `whole${body['store'] === true ? ' and kept' : ''}` },
]);

describe('an alias of one key', () => {
  it.each(dialects)('$path, $form: names the model that was asked for', async ({ path, body }) => {
    for (const [key, model, upstreamModel] of [
      ['a', 'gpt-4o', 'glm-4.7'],
      ['a2', 'gpt-4o', 'glm-4.7'],
      ['b', 'gpt-4o', 'glm-5'],
      ['nobody', 'gpt-4o', 'glm-5'],
      ['b', 'claude-opus-4-1', 'glm-4.5-air'],
      ['a', 'claude-opus-4-1', 'glm-4.7'],
      ['a', 'private', 'glm-4.6'],
    ] as const) {
      const before = upstream.log.length;
      const response = await post(key, path, { ...body, model });
      const text = await response.text();
      expect([key, model, response.status, askedSince(before)]).toEqual([key, model, 200, [upstreamModel]]);
      const named = [...text.matchAll(/"model":"([^"]*)"/g)].map(([, name]) => name);
      expect(named.length).toBeGreaterThan(0);
      expect(new Set(named)).toEqual(new Set([model]));
    }
  });

  it.each(dialects)('$path, $form: is no model for the others', async ({ path, body }) => {
    const before = upstream.log.length;
    for (const key of ['b', 'nobody'] as const) {
      const response = await post(key, path, { ...body, model: 'private' });
      expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('private')]);
    }
    expect(askedSince(before)).toEqual([]);
  });

  it('counts over WebSocket, too', async () => {
    for (const [key, upstreamModel] of [
      ['a', 'glm-4.7'],
      ['b', 'glm-5'],
    ] as const) {
      const before = upstream.log.length;
      using client = await openResponsesSocket(url, as(key));
      client.send({ type: 'response.create', model: 'gpt-4o', input: 'hi', store: false });
      const events = await client.until('response.completed');
      expect(events.at(-1)?.response).toMatchObject({ model: 'gpt-4o' });
      expect(askedSince(before)).toEqual([upstreamModel]);
    }
  });

  it.each([
    ['/v1/embeddings', { input: 'hi' }, 'embed', 'embedding-2'],
    ['/v1/images/generations', { prompt: 'hi' }, 'paint', 'cogview-4'],
  ])('counts on %s', async (path, body, model, upstreamModel) => {
    for (const [key, asked] of [
      ['b', upstreamModel],
      ['nobody', model],
    ] as const) {
      const before = upstream.log.length;
      await (await post(key, path, { ...body, model })).text();
      expect(askedSince(before)).toEqual([asked]);
    }
  });

  it('is in the list of that key, and may be looked up by it', async () => {
    const namesOf = async (key: Key, headers = {}): Promise<string[]> => {
      const response = await fetch(`${url}/v1/models?limit=1000`, { headers: { ...as(key), ...headers } });
      return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    for (const headers of [{}, { 'anthropic-version': '2023-06-01' }]) {
      expect(await namesOf('a', headers)).toEqual(expect.arrayContaining(['gpt-4o', 'private']));
      expect(await namesOf('b', headers)).toEqual(expect.arrayContaining(['gpt-4o']));
      for (const key of ['b', 'nobody'] as const) expect(await namesOf(key, headers)).not.toContain('private');
    }
    const lookUp = async (key: Key): Promise<number> =>
      (await fetch(`${url}/v1/models/private`, { headers: as(key) })).status;
    expect(await Promise.all([lookUp('a'), lookUp('b'), lookUp('nobody')])).toEqual([200, 404, 404]);
  });
});

describe('a chain of one key', () => {
  it('is followed for this key alone', async () => {
    upstream.configure({ platformModelFaults: { 'glm-4.7': '1305', 'glm-5': '1305' } });
    for (const [key, model, chain] of [
      ['a', 'glm-4.7', ['glm-4.7', 'glm-4.6']],
      ['a2', 'gpt-4o', ['glm-4.7', 'glm-4.6']],
      ['b', 'glm-4.7', ['glm-4.7']],
      ['nobody', 'gpt-4o', ['glm-5', 'glm-4.5']],
    ] as const) {
      const before = upstream.log.length;
      const response = await post(key, '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] });
      const answer = (await response.json()) as { model?: string };
      expect([key, model, response.status]).toEqual([key, model, chain.length > 1 ? 200 : 429]);
      if (response.status === 200) expect(answer.model).toBe(model);
      expect([...new Set(askedSince(before))]).toEqual(chain);
    }
  });
});

it('nobody takes the name of another key, and neither keys nor the way to them are logged', async () => {
  const response = await post(
    'b',
    '/v1/chat/completions',
    { model: 'private', messages: [{ role: 'user', content: 'hi' }] },
    { 'x-zai-key-name': 'team-a', 'x-zai-principal': '0'.repeat(32) },
  );
  expect(response.status).toBe(404);
  const logged = JSON.stringify([gateway.logLines, translator.logLines]);
  for (const key of Object.values(keys)) expect(logged).not.toContain(key);
});

describe('a faulty setting ends the start', () => {
  it.each([
    [
      'gateway',
      { ZAI_API_KEY: 'sk-secret-1 sk-secret-2 sk-secret-3', ZAI_PORT: '0' },
      /ZAI_API_KEY: item 1 is neither/,
    ],
    ['chat-translator', { ZAI_MODEL_ALIASES: 'te@m gpt-4o=glm-5' }, /ZAI_MODEL_ALIASES: expected/],
    [
      'standalone',
      { ZAI_API_KEY: 'team-a sk-secret-1', ZAI_MODEL_FALLBACKS: 'team-b glm-5=glm-4.7' },
      /ZAI_MODEL_FALLBACKS: no key in ZAI_API_KEY has the name "team-b"/,
    ],
  ] as const)('of the %s: %j', async (service, env, fault) => {
    await using process = startProcess(service, env);
    const { code, stderr } = await process.exited;
    expect([code, stderr]).toEqual([78, expect.stringMatching(fault)]);
    expect(stderr).not.toContain('sk-secret');
  });
});
