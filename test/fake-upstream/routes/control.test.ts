import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultSettings, scenarios, startFakeUpstream } from '../index.ts';
import { createWebPageClient } from '../web-page-client.ts';
import type { FakeUpstream } from '../index.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream({ settings: { answerFrames: 3 } });
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

async function control(method: string, path = '', body?: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${upstream.url}/__control${path}`, { method, ...(body !== undefined && { body }) });
  return { status: response.status, body: await response.json() };
}

describe('/__control', () => {
  it('shows and changes the settings', async () => {
    const start = { ...defaultSettings, answerFrames: 3 };
    expect(await control('GET')).toEqual({ status: 200, body: start });
    const changed = await control('POST', '', JSON.stringify({ scenario: 'slow frames=2', perTokenConcurrency: 4 }));
    expect(changed).toEqual({ status: 200, body: { ...start, scenario: 'slow frames=2', perTokenConcurrency: 4 } });
    expect(upstream.settings()).toEqual(changed.body);
    expect(await control('POST', '/reset')).toEqual({ status: 200, body: start });
  });

  it.each([
    ['{"scenario":"nope"}', 'unknown scenario'],
    ['{"colour":"red"}', 'colour'],
    ['{"authFault":"418"}', 'authFault'],
    ['{"completionFault":"418"}', 'completionFault'],
    ['{"delayMs":"5"}', 'delayMs'],
    ['[1]', ''],
    ['nonsense', 'not JSON'],
  ])('refuses %s and changes nothing', async (body, word) => {
    const before = upstream.settings();
    const answer = await control('POST', '', body);
    expect(answer.status).toBe(400);
    expect((answer.body as { detail: string }).detail).toContain(word);
    expect(upstream.settings()).toBe(before);
  });

  it('shows the log without usable tokens, and is not in it', async () => {
    const client = await createWebPageClient(upstream.url);
    await (await client.complete()).text();
    const { body } = await control('GET', '/log');
    expect(body).toMatchObject([
      { path: '/api/v1/auths/' },
      { path: '/api/v1/chats/new' },
      { path: '/api/v2/chat/completions' },
    ]);
    expect(JSON.stringify(body)).not.toContain(client.token.split('.')[2]);
    expect(upstream.log.at(-1)?.query['token']).toBe(client.token);
  });

  it('forgets everything on reset', async () => {
    const client = await createWebPageClient(upstream.url);
    await (await client.complete()).text();
    await control('POST', '/reset');
    expect([
      upstream.log,
      upstream.chats(),
      upstream.issuedTokens(),
      upstream.highestConcurrency(client.userId),
    ]).toEqual([[], [], [], 0]);
  });

  it('lists the scenarios and what else there is', async () => {
    expect(Object.keys((await control('GET', '/scenarios')).body as object)).toEqual(Object.keys(scenarios));
    expect((await control('GET', '/nothing')).status).toBe(404);
  });
});
