import { describe, expect, it } from '@jest/globals';
import { askWhole, postChat, scenario } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
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
    expect(calls(stack)).toBe(1);
    await waitFor(() => stack.upstream.runningStreams() === 0, { withinMs: 2_000 });
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
