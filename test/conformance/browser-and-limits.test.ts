import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { createBrowserFetch } from '../support/browser-fetch.ts';
import { scenario } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

const key = 'sk-conformance';
const model = 'glm-4.7-nothinking';
const said = 'Hello from GLM. You said: hi';
const page = 'https://app.example';
const chat = (content: string) => ({ model, messages: [{ role: 'user' as const, content }] });
const message = (content: string) => ({ ...chat(content), max_tokens: 100 });

describe('H15: official clients in a page', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ env: { ZAI_API_KEY: key, ZAI_CORS_ORIGINS: page } });
  });
  afterAll(() => stack.close());

  const common = () => ({
    apiKey: key,
    maxRetries: 0,
    dangerouslyAllowBrowser: true,
    fetch: createBrowserFetch(page),
  });
  const openAi = (options: object = {}): OpenAI => new OpenAI({ baseURL: `${stack.url}/v1`, ...common(), ...options });
  const anthropic = (options: object = {}): Anthropic => new Anthropic({ baseURL: stack.url, ...common(), ...options });

  it('read whole answers and streams, and the ids of both', async () => {
    const id = expect.stringMatching(/^req_/);
    const whole = await openAi().chat.completions.create(chat('hi'));
    expect([whole.choices[0]?.message.content, whole._request_id]).toEqual([said, id]);
    const stream = await openAi()
      .chat.completions.create({ ...chat('hi'), stream: true })
      .withResponse();
    let text = '';
    for await (const chunk of stream.data) text += chunk.choices[0]?.delta.content ?? '';
    expect([text, stream.request_id]).toEqual([said, id]);
    const answer = await anthropic().messages.create(message('hi'));
    expect([answer.content[0], answer._request_id]).toMatchObject([{ text: said }, id]);
  });

  it.each<[number, () => Promise<unknown>]>([
    [401, async () => openAi({ apiKey: 'wrong' }).chat.completions.create(chat('hi'))],
    [404, async () => openAi().chat.completions.create({ ...chat('hi'), model: 'nothing' })],
    [429, async () => openAi().chat.completions.create(chat(scenario('error-model-busy')))],
    [502, async () => openAi().chat.completions.create(chat(scenario('error-internal')))],
    [401, async () => anthropic({ apiKey: 'wrong' }).messages.create(message('hi'))],
    [429, async () => anthropic().messages.create(message(scenario('error-model-busy')))],
  ])('see a %d with its id, not a failed fetch', async (status, call) => {
    const failure = (await call().catch((reason: unknown) => reason)) as { readonly headers: Headers };
    expect(failure).toMatchObject({ status, requestID: expect.stringMatching(/^req_/) });
    expect(failure.headers.get('retry-after') !== null).toBe(status === 429);
  });

  it('H14: of another origin get nothing', async () => {
    const client = openAi({ fetch: createBrowserFetch('https://evil.example') });
    await expect(client.chat.completions.create(chat('hi'))).rejects.toThrow(/Connection error/);
  });
});

describe('H11: an official client over the rate limit', () => {
  it('waits as long as it is told, and succeeds', async () => {
    await using stack = await startStack({ env: { ZAI_API_KEY: key, ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: '60' } });
    const statuses: number[] = [];
    const client = new OpenAI({
      baseURL: `${stack.url}/v1`,
      apiKey: key,
      maxRetries: 2,
      fetch: async (...call) => {
        const response = await fetch(...call);
        statuses.push(response.status);
        return response;
      },
    });
    // Refused requests count, too: they use up the minute in no time.
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: '{}' };
    const spent = Array.from({ length: 60 }, () => fetch(`${stack.url}/v1/chat/completions`, init));
    expect(new Set((await Promise.all(spent)).map(({ status }) => status))).toEqual(new Set([400]));
    const startedAtMs = performance.now();
    const answer = await client.chat.completions.create(chat('hi'));
    expect([answer.choices[0]?.message.content, statuses]).toEqual([said, [429, 200]]);
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
  });
});
