import { describe, expect, it } from '@jest/globals';
import { askWhole, postChat, scenario } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { lastResponse, readResponseEvents } from '../support/response-events.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { postTurn, turnForms, type TurnForm } from '../support/turn-forms.ts';
import { waitFor } from '../support/wait-for.ts';

const cached = { ZAI_CONTENT_CACHE_TTL: '60', ZAI_UPSTREAMS: 'platform', ZAI_PLATFORM_API_KEY: 'key' };
const still = { temperature: 0 };
const calls = ({ upstream }: Stack): number =>
  upstream.log.filter(({ path }) => path.endsWith('/chat/completions')).length;

describe('the answer cache', () => {
  it('is off unless it is asked for', async () => {
    await using stack = await startStack({ env: { ...cached, ZAI_CONTENT_CACHE_TTL: '0' } });
    for (let count = 0; count < 2; count += 1) {
      const response = await postChat(stack.url, 'hi', { body: still });
      expect(response.headers.get('x-gateway-cache')).toBeNull();
      await response.text();
    }
    expect(calls(stack)).toBe(2);
  });

  it('gives the same answer, streamed or whole, without asking again', async () => {
    await using stack = await startStack({ env: cached });
    const body = { ...still, model: 'glm-4.7' };
    const first = await askWhole(stack.url, 'hi', { body });
    const response = await postChat(stack.url, 'hi', { body });
    expect(response.headers.get('x-gateway-cache')).toBe('hit');
    const second = (await response.json()) as typeof first;
    expect(second).toMatchObject({ choices: first.choices, usage: first.usage, model: first.model });
    expect(second.id).not.toBe(first.id);
    const stream = await openStream(stack.url, 'hi', { body });
    expect(stream.headers.get('x-gateway-cache')).toBe('hit');
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({
      text: first.choices[0]?.message.content,
      reasoning: first.choices[0]?.message.reasoning_content,
      finishReasons: ['stop'],
    });
    expect(calls(stack)).toBe(1);
    expect(await stack.metric('zai_translator_answer_cache_total', { outcome: 'hit' })).toBe(2);
    expect(await stack.metric('zai_translator_answer_cache_total', { outcome: 'miss' })).toBe(1);
  });

  it('is nobody else’s: each key has its own', async () => {
    await using stack = await startStack({ env: { ...cached, ZAI_API_KEY: 'one,two' } });
    for (const [key, expected] of [
      ['one', 'miss'],
      ['two', 'miss'],
      ['one', 'hit'],
    ] as const) {
      const response = await postChat(stack.url, 'hi', { body: still, headers: { authorization: `Bearer ${key}` } });
      expect(response.headers.get('x-gateway-cache')).toBe(expected);
      await response.text();
    }
  });

  it('names to each client what its own request asked for in vain', async () => {
    await using stack = await startStack({ env: cached });
    // The last one is the upstream's own limit: it is part of the question.
    const told: [string, string | null][] = [];
    for (const fields of [{ seed: 1 }, { logit_bias: { 1: 1 } }, {}]) {
      const response = await postChat(stack.url, 'hi', { body: { ...still, ...fields, top_p: 0.001 } });
      told.push([response.headers.get('x-gateway-cache') ?? '', response.headers.get('x-gateway-ignored-params')]);
      await response.text();
    }
    expect(told).toEqual([
      ['miss', 'seed,top_p'],
      ['hit', 'logit_bias,top_p'],
      ['hit', 'top_p'],
    ]);
  });

  it('keeps no answer that samples, searches, calls or failed', async () => {
    await using stack = await startStack({ env: cached });
    const weather = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } };
    for (const body of [
      {},
      { temperature: 0.5 },
      { ...still, model: 'glm-4.7-search' },
      { ...still, tools: [weather] },
    ]) {
      for (let count = 0; count < 2; count += 1)
        expect((await postChat(stack.url, 'hi', { body })).headers.get('x-gateway-cache')).toBeNull();
    }
    const before = calls(stack);
    for (let count = 0; count < 2; count += 1) {
      expect((await postChat(stack.url, scenario('error-sensitive'), { body: still })).status).toBe(400);
      await (await postChat(stack.url, scenario('error-internal-after-content'), { body: still })).text();
    }
    expect(calls(stack) - before).toBe(4);
  });

  it('asks once for what many ask at the same time, and one that leaves takes nothing from the others', async () => {
    await using stack = await startStack({ env: cached });
    const prompt = scenario('slow frames=8 delay=60');
    const leaving = new AbortController();
    const left = openStream(stack.url, prompt, { body: still, signal: leaving.signal }).then((stream) =>
      stream.find((block) => block.includes('word1')),
    );
    const others = Array.from({ length: 9 }, (_, index) =>
      index % 2 === 0
        ? askWhole(stack.url, prompt, { body: still }).then(({ choices }) => choices[0]?.message.content)
        : openStream(stack.url, prompt, { body: still }).then(
            async (stream) => joinChunks(chunksOf(await stream.rest())).text,
          ),
    );
    await left;
    leaving.abort();
    const words = Array.from({ length: 8 }, (_, index) => `word${index + 1} `).join('');
    expect(await Promise.all(others)).toEqual(Array<string>(9).fill(words));
    // One for those who stream, one for the others.
    expect(calls(stack)).toBe(2);
    await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 2_000 });
  });

  it('holds each asker to the limit of silence of its own form, whoever asked first', async () => {
    const limits = { ZAI_NON_STREAM_TIMEOUT: '0.4', ZAI_STREAM_TIMEOUT: '30' };
    await using stack = await startStack({ env: { ...cached, ...limits } });
    const prompt = scenario('stall-after-content for=1500');
    const whole = postChat(stack.url, prompt, { body: still });
    await waitFor(() => calls(stack) === 1, { withinMs: 5_000 });
    const stream = await openStream(stack.url, prompt, { body: still });
    const refused = await whole;
    expect([refused.status, await refused.text()]).toEqual([504, expect.stringContaining('ZAI_NON_STREAM_TIMEOUT')]);
    const blocks = await stream.rest();
    expect(joinChunks(chunksOf(blocks))).toMatchObject({ finishReasons: ['stop'], errors: [] });
    // What came of patience is kept for the impatient, too.
    const later = await postChat(stack.url, prompt, { body: still });
    expect([later.status, later.headers.get('x-gateway-cache')]).toEqual([200, 'hit']);
    await later.text();
  });

  it('keeps no answer of a model or an upstream that stood in', async () => {
    await using stack = await startStack({
      env: { ...cached, ZAI_UPSTREAMS: 'platform,web', ZAI_ANON_POOL_SIZE: '1', ZAI_MODEL_FALLBACKS: 'glm-5=glm-4.7' },
    });
    const ask = async (model: string): Promise<(string | null)[]> => {
      const response = await postChat(stack.url, 'hi', { body: { ...still, model } });
      await response.text();
      return ['x-gateway-upstream', 'x-gateway-cache'].map((name) => response.headers.get(name));
    };
    stack.upstream.configure({ platformModelFaults: { 'glm-5': '1305' } });
    expect(await ask('glm-5@platform')).toEqual(['platform', 'miss']);
    expect(stack.upstream.log.at(-1)?.body).toMatchObject({ model: 'glm-4.7' });
    stack.upstream.configure({ platformModelFaults: {} });
    expect(await ask('glm-5@platform')).toEqual(['platform', 'miss']);
    expect(await ask('glm-5@platform')).toEqual(['platform', 'hit']);

    stack.upstream.configure({ platformModelFaults: { 'glm-4.7': '1305' } });
    expect(await ask('glm-4.7')).toEqual(['web', 'miss']);
    stack.upstream.configure({ platformModelFaults: {} });
    expect(await ask('glm-4.7')).toEqual(['platform', 'miss']);
    expect(await ask('glm-4.7')).toEqual(['platform', 'hit']);
  });

  it('ends the upstream call when the last one has left', async () => {
    await using stack = await startStack({ env: cached });
    const prompt = scenario('slow frames=600 delay=50');
    const leaving = [new AbortController(), new AbortController()];
    const streams = await Promise.all(
      leaving.map(({ signal }) => openStream(stack.url, prompt, { body: still, signal })),
    );
    await Promise.all(streams.map((stream) => stream.find((block) => block.includes('word1'))));
    leaving[0]?.abort();
    await streams[1]?.find((block) => block.includes('word4'));
    leaving[1]?.abort();
    await stack.upstream.waitForAbort(({ path }) => path.endsWith('/chat/completions'), 2_000);
    expect(calls(stack)).toBe(1);
  });
});

const forms = (prompt: string): readonly TurnForm[] => turnForms(prompt, still);
const names = forms('').map(({ name }, index) => [name, index] as const);

/** All that an answer says: its text, and its ids. */
function read(answer: string): { words: string; ids: string[] } {
  const ids = [...answer.matchAll(/"id":"((?:chatcmpl|cmpl|resp|msg)[-_][^"]+)"/g)].map(([, id]) => id ?? '');
  const words = [...answer.matchAll(/word\d+/g)].map(([word]) => word).join(' ');
  return { words, ids: [...new Set(ids)] };
}

describe('the answer cache in every API', () => {
  it.each(names)('%s', async (_name, index) => {
    await using stack = await startStack({ env: cached });
    const { path, body } = forms(scenario('slow frames=5 delay=1'))[index]!;
    const answers: ReturnType<typeof read>[] = [];
    for (const expected of ['miss', 'hit', 'hit']) {
      const response = await postTurn(stack.url, { path, body });
      expect([response.status, response.headers.get('x-gateway-cache')]).toEqual([200, expected]);
      expect(response.headers.get('x-gateway-upstream')).toBe('platform');
      answers.push(read(await response.text()));
    }
    expect(new Set(answers.map(({ words }) => words)).size).toBe(1);
    expect(answers[0]?.words).toContain('word5');
    const ids = answers.flatMap((answer) => answer.ids);
    expect(ids.length).toBeGreaterThanOrEqual(3);
    expect(new Set(ids).size).toBe(ids.length);
    expect(calls(stack)).toBe(1);
    expect(await stack.metric('zai_translator_answer_cache_total', { outcome: 'hit' })).toBe(2);
  });

  it.each(names)('%s: asked once by many', async (_name, index) => {
    await using stack = await startStack({ env: cached });
    const { path, body } = forms(scenario('slow frames=6 delay=40'))[index]!;
    const all = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const response = await postTurn(stack.url, { path, body });
        return { cache: response.headers.get('x-gateway-cache'), ...read(await response.text()) };
      }),
    );
    expect(all.map(({ cache }) => cache).toSorted()).toEqual(['miss', ...Array<string>(4).fill('shared')]);
    expect(new Set(all.map(({ words }) => words)).size).toBe(1);
    expect(new Set(all.flatMap(({ ids }) => ids)).size).toBe(all.flatMap(({ ids }) => ids).length);
    expect(calls(stack)).toBe(1);
  });

  it.each(names)('%s: neither tools nor errors', async (_name, index) => {
    await using stack = await startStack({ env: cached });
    const parameters = { type: 'object' };
    const tools: Record<string, unknown> = {
      '/v1/chat/completions': { type: 'function', function: { name: 'look', parameters } },
      '/v1/responses': { type: 'function', name: 'look', parameters },
      '/v1/messages': { name: 'look', input_schema: parameters },
    };
    const { path, body } = forms('hi')[index]!;
    const asking = forms(scenario('error-internal-after-content'))[index]!.body;
    if (tools[path] !== undefined) {
      for (let count = 0; count < 2; count += 1) {
        const response = await postTurn(stack.url, { path, body: { ...body, tools: [tools[path]] } });
        expect([response.status, response.headers.get('x-gateway-cache')]).toEqual([200, null]);
        await response.text();
      }
      expect(calls(stack)).toBe(2);
    }
    const before = calls(stack);
    for (let count = 0; count < 2; count += 1) {
      const response = await postTurn(stack.url, { path, body: asking });
      expect(response.headers.get('x-gateway-cache')).toBe('miss');
      await response.text();
    }
    expect(calls(stack) - before).toBe(2);
  });
});

describe('kept responses out of the answer cache', () => {
  const prompt = scenario('slow frames=5 delay=1');
  const body = { model: 'glm-4.7-nothinking', input: prompt, ...still };
  interface Kept {
    readonly id: string;
    readonly status: string;
    readonly output: readonly unknown[];
  }
  const ask = ({ url }: Stack, asked: Readonly<Record<string, unknown>>): Promise<Response> =>
    postTurn(url, { path: '/v1/responses', body: asked });
  const find = async (stack: Stack, id: string): Promise<Response> => fetch(`${stack.url}/v1/responses/${id}`);

  it.each([true, false])('are kept, gone on from and deleted each by its own id (stream: %s)', async (stream) => {
    await using stack = await startStack({ env: cached });
    const responses: Kept[] = [];
    for (let count = 0; count < 2; count += 1) {
      const response = await ask(stack, { ...body, stream });
      const text = await response.text();
      responses.push((stream ? lastResponse(readResponseEvents(text)) : JSON.parse(text)) as Kept);
    }
    const [first, second] = responses as [Kept, Kept];
    expect(calls(stack)).toBe(1);
    expect(second.id).not.toBe(first.id);
    expect(await (await find(stack, second.id)).json()).toEqual(second);
    await fetch(`${stack.url}/v1/responses/${first.id}`, { method: 'DELETE' });
    expect([(await find(stack, first.id)).status, (await find(stack, second.id)).status]).toEqual([404, 200]);
    // What follows is another question, on the conversation of the hit.
    const next = await ask(stack, { ...body, input: 'and?', previous_response_id: second.id });
    expect([next.status, next.headers.get('x-gateway-cache')]).toEqual([200, 'miss']);
    expect(JSON.stringify(stack.upstream.log.at(-1)?.body)).toContain('word5');
  });

  it('come about in the background, too, and one that is called off takes nothing from the others', async () => {
    await using stack = await startStack({ env: cached });
    const input = scenario('slow frames=12 delay=50');
    const begin = async (): Promise<Kept> =>
      (await (await ask(stack, { ...body, input, background: true })).json()) as Kept;
    const [one, other] = await Promise.all([begin(), begin()]);
    await waitFor(() => stack.upstream.runningStreams() === 1, { withinMs: 2_000 });
    await fetch(`${stack.url}/v1/responses/${one.id}/cancel`, { method: 'POST' });
    const over = async (id: string): Promise<Kept | undefined> => {
      const response = (await (await find(stack, id)).json()) as Kept;
      return ['queued', 'in_progress'].includes(response.status) ? undefined : response;
    };
    const done = await waitFor(() => over(other.id), { withinMs: 5_000 });
    expect([done.status, JSON.stringify(done.output)]).toEqual(['completed', expect.stringContaining('word12')]);
    expect(await over(one.id)).toMatchObject({ status: 'cancelled' });
    const third = await begin();
    expect(await waitFor(() => over(third.id), { withinMs: 5_000 })).toMatchObject({ status: 'completed' });
    expect(calls(stack)).toBe(1);
  });
});
