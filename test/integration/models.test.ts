import { describe, expect, it } from '@jest/globals';
import { askText, askWhole, postChat, type ErrorBody } from '../support/chat-client.ts';
import { errorBodySchema, modelSchema } from '../support/message-schemas.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const said = 'Hello from GLM. You said: hi';

interface ListedModel {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly owned_by: string;
  readonly name: string;
}

interface SentBody {
  readonly model: string;
  readonly features: Readonly<Record<string, unknown>>;
  readonly mcp_servers?: readonly string[];
}

async function listModels({ url }: Stack): Promise<{ source: string | null; ids: string[]; data: ListedModel[] }> {
  const response = await fetch(`${url}/v1/models`);
  expect(response.status).toBe(200);
  const { object, data } = (await response.json()) as { object: string; data: ListedModel[] };
  expect(object).toBe('list');
  return { source: response.headers.get('x-model-list'), ids: data.map(({ id }) => id), data };
}

const readings = ({ upstream }: Stack): number => upstream.log.filter(({ path }) => path === '/api/models').length;
const sentBody = ({ upstream }: Stack): SentBody =>
  upstream.log.findLast(({ path }) => path === '/api/v2/chat/completions')!.body as SentBody;
/** Never fresh: every list is a reading. */
const noCache = { ZAI_MODELS_CACHE_TTL: '0' };

describe('H01: the list', () => {
  it('is the upstream’s, with our names and variants, without what is hidden', async () => {
    await using stack = await startStack({
      upstream: {
        models: [
          { id: 'glm-9', name: 'GLM-9' },
          { id: '0999-API', name: 'GLM-9-Air', vision: true },
          { id: 'glm-8', name: 'GLM-8', hidden: true },
          { id: 'glm-7', name: 'GLM-7', inactive: true },
        ],
      },
    });
    const { source, ids, data } = await listModels(stack);
    expect(source).toBe('live');
    expect(ids.filter((id) => !/-(thinking|nothinking|search)$/.test(id))).toEqual(['glm-9', 'glm-9-air']);
    expect(ids).toEqual(expect.arrayContaining(['glm-9-thinking', 'glm-9-nothinking', 'glm-9-search']));
    for (const model of data) {
      expect(model).toMatchObject({ object: 'model', owned_by: 'z-ai', created: expect.any(Number) });
      expect(Number.isInteger(model.created)).toBe(true);
      expect(model.name).not.toBe('');
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is read once and kept', async () => {
    await using stack = await startStack();
    for (let count = 0; count < 3; count += 1) expect((await listModels(stack)).source).toBe('live');
    await askWhole(stack.url, 'hi');
    expect(readings(stack)).toBe(1);
  });

  it('is read again when ZAI_MODELS_CACHE_TTL is over', async () => {
    await using stack = await startStack({ env: noCache });
    stack.upstream.configure({ models: [{ id: 'glm-9', name: 'GLM-9' }] });
    expect((await listModels(stack)).ids).toContain('glm-9');
    stack.upstream.configure({ models: [{ id: 'glm-10', name: 'GLM-10' }] });
    expect((await listModels(stack)).ids).toContain('glm-10');
  });

  it('is read once for all who ask at the same time', async () => {
    await using stack = await startStack({ env: { ...noCache, ZAI_REQUEST_TIMEOUT: '1' } });
    const before = readings(stack);
    stack.upstream.configure({ modelsFault: 'hang' });
    const lists = Array.from({ length: 20 }, () => listModels(stack));
    await waitFor(async () => (await stack.metric('zai_gateway_inflight_requests', { route: 'models' })) === 20, {
      withinMs: 900,
    });
    expect(new Set((await Promise.all(lists)).map(({ source }) => source))).toEqual(new Set(['stale']));
    expect(readings(stack) - before).toBe(1);
  });

  it.each(['500', 'waf', 'reset', 'not-json', 'empty-object', '429'] as const)(
    'H03: is the last good one while the upstream fails with %s',
    async (modelsFault) => {
      await using stack = await startStack({
        env: noCache,
        upstream: {
          models: [
            { id: 'glm-4.7', name: 'GLM-4.7' },
            { id: 'glm-9', name: 'GLM-9' },
          ],
        },
      });
      const good = await listModels(stack);
      stack.upstream.configure({ modelsFault });
      const stale = await listModels(stack);
      expect(stale).toEqual({ ...good, source: 'stale' });
      // A list that cannot be read is no reason to refuse turns.
      expect(await askText(stack.url, 'hi')).toBe(said);
      stack.upstream.configure({ modelsFault: null });
      expect((await listModels(stack)).source).toBe('live');
    },
  );

  it('H03: is the built-in one when the upstream was never reached', async () => {
    await using nobody = await startStack();
    await nobody.upstream.close();
    await using stack = await startStack({ env: { ZAI_API_BASE: nobody.upstream.url } });
    const { source, ids } = await listModels(stack);
    expect(source).toBe('built-in');
    expect(ids).toEqual(expect.arrayContaining(['glm-4.7', 'glm-5.3', 'glm-4.5v']));
  });
});

describe('H02: one model', () => {
  it.each([
    ['glm-4.7', 'glm-4.7'],
    ['GLM-4.7', 'glm-4.7'],
    ['glm-4.7-thinking', 'glm-4.7-thinking'],
    ['glm-4%2E7', 'glm-4.7'],
    ['glm-4-flash', 'glm-4-flash'],
  ])('%s is %s', async (asked, id) => {
    await using stack = await startStack();
    const response = await fetch(`${stack.url}/v1/models/${asked}`);
    expect([response.status, await response.json()]).toMatchObject([200, { id, object: 'model' }]);
  });

  it.each(['nothing-like-it', 'a/b', 'a%2Fb', '%ff', '__proto__'])('%s is 404', async (asked) => {
    await using stack = await startStack();
    const response = await fetch(`${stack.url}/v1/models/${asked}`);
    expect(response.status).toBe(404);
    expect(((await response.json()) as ErrorBody).error).toMatchObject({ code: 'model_not_found', param: 'model' });
  });
});

describe('a name', () => {
  it.each([
    ['glm-4.7-thinking', { model: 'glm-4.7', thinking: true, search: false }],
    ['glm-4.7-nothinking', { model: 'glm-4.7', thinking: false, search: false }],
    ['glm-4.7-search', { model: 'glm-4.7', thinking: true, search: true }],
    ['glm-4.7-nothinking-search', { model: 'glm-4.7', thinking: false, search: true }],
    ['GLM-4.7-Search-NoThinking', { model: 'glm-4.7', thinking: false, search: true }],
    ['glm-4.6-nothinking', { model: 'GLM-4-6-API-V1', thinking: false, search: false }],
    ['GLM-4-6-API-V1', { model: 'GLM-4-6-API-V1', thinking: true, search: false }],
    // Hidden, but there for who knows it.
    ['glm-4.5', { model: '0727-360B-API', thinking: true, search: false }],
    ['', { model: 'glm-4.7', thinking: true, search: false }],
  ])('%j asks the upstream for %j', async (model, { thinking, search, ...expected }) => {
    await using stack = await startStack();
    const answer = await askWhole(stack.url, 'hi', { body: { model } });
    expect(answer.model).toBe(model === '' ? 'glm-4.7' : model);
    const sent = sentBody(stack);
    expect(sent).toMatchObject({
      ...expected,
      features: { enable_thinking: thinking, web_search: search, auto_web_search: search },
    });
    expect(sent.mcp_servers).toEqual(search ? ['deep-web-search'] : undefined);
  });

  it.each([
    [{ thinking: { type: 'disabled' } }, false],
    [{ reasoning_effort: 'none' }, false],
    [{ enable_thinking: false }, false],
    [{ reasoning_effort: 'high' }, true],
  ])('gives way to what the request says: %j', async (fields, thinking) => {
    await using stack = await startStack();
    const model = thinking ? 'glm-4.7-nothinking' : 'glm-4.7-thinking';
    const answer = await askWhole(stack.url, 'hi', { body: { model, ...fields } });
    expect(sentBody(stack).features['enable_thinking']).toBe(thinking);
    expect('reasoning_content' in answer.choices[0]!.message).toBe(thinking);
  });

  it.each(['nothing-like-it', 'glm-4.7-loud', '-thinking'])('C06: %s is 404 and nothing is asked', async (model) => {
    await using stack = await startStack();
    const response = await postChat(stack.url, 'hi', { body: { model } });
    expect(response.status).toBe(404);
    expect(((await response.json()) as ErrorBody).error).toMatchObject({
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
    });
    expect(stack.upstream.log.some(({ path }) => path === '/api/v2/chat/completions')).toBe(false);
  });
});

describe('H01, H02: for clients of the Anthropic API', () => {
  const version = { 'anthropic-version': '2023-06-01' };
  const deciding = ['anthropic-version', 'x-api-key', 'authorization'];

  interface Page {
    readonly data: readonly { readonly id: string }[];
    readonly has_more: boolean;
    readonly first_id: string | null;
    readonly last_id: string | null;
  }
  const readPage = async (response: Response): Promise<Page> => {
    expect(response.status).toBe(200);
    const page = (await response.json()) as Page;
    for (const model of page.data) modelSchema.parse(model);
    return page;
  };

  it.each<[string, string, Record<string, string>]>([
    ['their version', '/v1/models', { ...version, authorization: 'Bearer sk-k' }],
    ['their way to bring a key', '/v1/models', { 'x-api-key': 'sk-k' }],
    ['their base path', '/anthropic/v1/models', { authorization: 'Bearer sk-k' }],
  ])('speaks their API when it is told by %s', async (_what, path, headers) => {
    await using stack = await startStack({ env: { ZAI_API_KEY: 'sk-k' } });
    const response = await fetch(`${stack.url}${path}?limit=1000`, { headers });
    const vary = response.headers.get('vary')?.toLowerCase() ?? '';
    for (const header of deciding) expect(vary).toContain(header);
    const { data, ...page } = await readPage(response);
    const ids = data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['glm-4.7', 'glm-4.7-thinking', 'claude-glm-4.7']));
    expect(page).toEqual({ has_more: false, first_id: ids[0], last_id: ids.at(-1) });
    const one = await fetch(`${stack.url}${path}/glm-4.7`, { headers });
    expect(modelSchema.parse(await one.json())).toMatchObject({ id: 'glm-4.7', max_input_tokens: 200_000 });
    const alias = await fetch(`${stack.url}${path}/claude-glm-4.7`, { headers });
    expect(modelSchema.parse(await alias.json())).toMatchObject({ id: 'claude-glm-4.7', display_name: 'GLM-4.7' });
    const none = await fetch(`${stack.url}${path}/nothing%2Flike-it`, { headers });
    expect(none.status).toBe(404);
    expect(errorBodySchema.parse(await none.json()).error.type).toBe('not_found_error');
  });

  it('speaks the API of OpenAI to all others, and varies all the same', async () => {
    await using stack = await startStack({ env: { ZAI_API_KEY: 'sk-k' } });
    const headers = { authorization: 'Bearer sk-k', 'x-api-key': 'sk-k' };
    const response = await fetch(`${stack.url}/v1/models`, { headers });
    const vary = response.headers.get('vary')?.toLowerCase() ?? '';
    for (const header of deciding) expect(vary).toContain(header);
    const { object, data } = (await response.json()) as { object: string; data: readonly ListedModel[] };
    expect(object).toBe('list');
    expect(data.some(({ id }) => id.startsWith('claude-'))).toBe(false);
  });

  it('is a list of pages, forwards and back', async () => {
    await using stack = await startStack();
    const ask = async (query: string): Promise<Page> =>
      readPage(await fetch(`${stack.url}/v1/models?${query}`, { headers: version }));
    const all = (await ask('limit=1000')).data.map(({ id }) => id);
    const first = await ask('');
    expect(first.data.map(({ id }) => id)).toEqual(all.slice(0, 20));
    expect(first.has_more).toBe(true);
    const second = await ask(`after_id=${first.last_id}&limit=3`);
    expect(second.data.map(({ id }) => id)).toEqual(all.slice(20, 23));
    const back = await ask(`before_id=${second.first_id}&limit=5`);
    expect(back.data.map(({ id }) => id)).toEqual(all.slice(15, 20));
    for (const limit of ['0', '1001', 'x', '1.5']) {
      const refused = await fetch(`${stack.url}/v1/models?limit=${limit}`, { headers: version });
      expect(refused.status).toBe(400);
      expect(errorBodySchema.parse(await refused.json()).error.message).toContain('limit');
    }
  });
});
