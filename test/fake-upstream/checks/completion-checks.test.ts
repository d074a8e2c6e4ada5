import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeUpstream } from '../index.ts';
import { firstError, readFrames, replayDocument } from '../read-answer.ts';
import { createWebPageClient } from '../web-page-client.ts';
import { isStaleVersion } from './frontend-version.ts';
import type { FakeUpstream, FakeUpstreamSettings } from '../index.ts';
import type { CompletionChange } from '../web-page-client.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

interface Case {
  readonly check: string;
  readonly change?: CompletionChange;
  readonly settings?: Partial<FakeUpstreamSettings>;
  /** A status other than 200, or the code of the in-stream error. */
  readonly answer: number | string;
  /** With these the same request is answered. */
  readonly off?: Partial<FakeUpstreamSettings>;
}

const oldVersion = { headers: { 'x-fe-version': 'prod-fe-1.0.272' } };
const cases: readonly Case[] = [
  { check: 'frontend-version', change: oldVersion, answer: 405, off: { checkFrontendVersion: false } },
  { check: 'frontend-version', change: oldVersion, settings: { staleVersionAnswer: '426' }, answer: 426 },
  {
    check: 'frontend-version',
    change: oldVersion,
    settings: { staleVersionAnswer: 'in-stream' },
    answer: 'APP_VERSION_OUTDATED',
  },
  { check: 'frontend-version', settings: { frontendVersion: 'prod-fe-1.2.0' }, answer: 405 },
  { check: 'query', change: { query: { max_touch_points: null } }, answer: 405, off: { checkQuery: false } },
  { check: 'headers', change: { headers: { origin: null } }, answer: 405, off: { checkHeaders: false } },
  { check: 'headers', change: { headers: { 'user-agent': 'curl' } }, answer: 405 },
  { check: 'query-token', change: { query: { token: 'other' } }, answer: 401, off: { checkQuery: false } },
  { check: 'body', change: { body: { messages: [] } }, answer: 422 },
  {
    check: 'signature',
    change: { headers: { 'x-signature': 'f'.repeat(64) } },
    answer: 400,
    off: { checkSignature: false },
  },
  { check: 'signature', change: { body: { signature_prompt: 'other' } }, answer: 400 },
  { check: 'signature', change: { query: { signature_timestamp: '1' } }, answer: 400 },
  { check: 'signature', settings: { signingSecret: 'new' }, answer: 400 },
  {
    check: 'signature-time',
    settings: { clockOffsetMs: 300_000 },
    answer: 400,
    off: { bucketTolerance: 1 },
  },
  { check: 'model', change: { body: { model: 'gpt-4' } }, answer: 'MODEL_NOT_FOUND', off: { checkModel: false } },
  { check: 'model', change: { body: { model: 'deep-research' } }, answer: 'MODEL_NOT_FOUND' },
  { check: 'level', settings: { guestModels: ['x-preview-l'] }, answer: '403', off: { guestModels: null } },
  {
    check: 'verification',
    settings: { requireVerification: 'guests' },
    answer: 'FRONTEND_CAPTCHA_REQUIRED',
    off: { requireVerification: false },
  },
  { check: 'verification', change: { body: { captcha_verify_param: '' } }, answer: 'FRONTEND_CAPTCHA_REQUIRED' },
  { check: 'concurrency', settings: { perTokenConcurrency: 0 }, answer: '429', off: { checkConcurrency: false } },
  { check: 'capacity', settings: { capacity: 0 }, answer: 'MODEL_CONCURRENCY_LIMIT', off: { capacity: null } },
  { check: 'tools', change: { body: { tools: [] } }, answer: 'INTERNAL_ERROR', off: { toolsInBody: 'ignored' } },
  {
    check: 'multiple-messages',
    change: {
      body: {
        messages: [
          { role: 'assistant', content: 'hi' },
          { role: 'user', content: 'hello' },
        ],
      },
    },
    settings: { multipleMessages: 'error' },
    answer: 'INTERNAL_ERROR',
    off: { multipleMessages: 'works' },
  },
  {
    check: 'files',
    change: { body: { files: [{ id: 'never-uploaded', type: 'file' }] } },
    answer: 'INTERNAL_ERROR',
    off: { checkFiles: false },
  },
  {
    check: 'files',
    change: {
      body: { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'not-listed' } }] }] },
    },
    answer: 'INTERNAL_ERROR',
  },
];

describe('the checks of a completion', () => {
  it('all pass for what the web page sends', async () => {
    const client = await createWebPageClient(upstream.url);
    const answer = await client.complete({ prompt: 'good' });
    expect(answer.status).toBe(200);
    expect(replayDocument(readFrames(await answer.text()))).toBe('Hello from GLM. You said: good');
    expect(upstream.log.at(-1)).toMatchObject({
      faults: [],
      scenario: 'plain',
      status: 200,
      tokenUserId: client.userId,
    });
  });

  it.each(cases)('$check refuses with $answer (%#)', async ({ check, change, settings, answer, off }) => {
    const client = await createWebPageClient(upstream.url);
    if (settings) upstream.configure(settings);
    const response = await client.complete(change);
    const text = await response.text();
    expect(upstream.log.at(-1)?.faults).toEqual([check]);
    if (typeof answer === 'number') expect(response.status).toBe(answer);
    else expect([response.status, String(firstError(text)?.['code'])]).toEqual([200, answer]);

    if (!off) return;
    upstream.configure(off);
    const good = await client.complete(change);
    expect([good.status, firstError(await good.text())]).toEqual([200, undefined]);
  });

  it('refuse a missing, unknown and revoked token with 401', async () => {
    const client = await createWebPageClient(upstream.url);
    for (const authorization of [null, 'Bearer x.y.z'])
      expect((await client.complete({ headers: { authorization } })).status).toBe(401);
    expect(upstream.log.at(-1)?.faults).toContain('token');
    upstream.revokeToken(client.token);
    expect((await client.complete({ body: { chat_id: 'c' } })).status).toBe(401);
  });

  it("refuse another user's id", async () => {
    const client = await createWebPageClient(upstream.url);
    const other = await createWebPageClient(upstream.url, { token: client.token, userId: 'somebody' });
    expect((await other.complete()).status).toBe(400);
    expect(upstream.log.at(-1)?.faults).toEqual(['user-id']);
  });

  it('answer an unknown chat, with INTERNAL_ERROR on the done frame', async () => {
    const client = await createWebPageClient(upstream.url);
    const frames = readFrames(await (await client.complete({ body: { chat_id: 'never-made' } })).text());
    expect(replayDocument(frames)).toContain('Hello from GLM');
    expect(frames.find((frame) => frame.data.phase === 'done')?.data.error).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(upstream.log.at(-1)?.faults).toEqual(['unknown-chat']);
    upstream.configure({ requireChat: false });
    expect(firstError(await (await client.complete({ body: { chat_id: 'never-made' } })).text())).toBeUndefined();
  });

  it('speak the language of the request', async () => {
    upstream.configure({ requireVerification: true });
    const client = await createWebPageClient(upstream.url);
    const answer = await client.complete({ headers: { 'accept-language': 'zh-CN' } });
    expect(firstError(await answer.text())?.['detail']).toBe('请刷新页面以更新应用后重试。');
  });

  it('hide the history when it is to be ignored', async () => {
    upstream.configure({ multipleMessages: 'ignored', scenario: 'echo' });
    const client = await createWebPageClient(upstream.url);
    const messages = [
      { role: 'user', content: 'first' },
      { role: 'user', content: 'hello' },
    ];
    const text = await (await client.complete({ body: { messages } })).text();
    expect(JSON.parse(replayDocument(readFrames(text)))).toMatchObject({ messages: messages.slice(1) });
  });
});

describe('isStaleVersion', () => {
  it.each([
    ['prod-fe-1.1.98', false],
    ['prod-fe-1.2.0', false],
    ['prod-fe-1.1.100', false],
    ['prod-fe-1.1.9', true],
    ['prod-fe-1.0.272', true],
    ['1.1.98', true],
    [undefined, true],
  ])('%s: %s', (version, stale) => expect(isStaleVersion(version, 'prod-fe-1.1.98')).toBe(stale));
});
