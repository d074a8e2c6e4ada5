import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeUpstream } from '../index.ts';
import { firstError } from '../read-answer.ts';
import { createWebPageClient } from '../web-page-client.ts';
import type { FakeUpstream, ReceivedRequest } from '../index.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

const isCompletion = ({ path }: ReceivedRequest): boolean => path === '/api/v2/chat/completions';
const withinMs = 5000;

describe('running answers', () => {
  it('are counted per identity, and the place is free as soon as the answer has been read', async () => {
    const client = await createWebPageClient(upstream.url);
    const leaving = new AbortController();
    const first = await client.complete({ prompt: '[[scenario:stall-after-content]]', signal: leaving.signal });
    expect(upstream.runningStreams()).toBe(1);
    const second = await client.complete();
    expect(firstError(await second.text())).toMatchObject({ code: 429 });
    expect(upstream.highestConcurrency(client.userId)).toBe(2);
    leaving.abort();
    await expect(first.text()).rejects.toThrow();
    await upstream.waitForAbort(isCompletion, withinMs);
    expect(upstream.runningStreams()).toBe(0);
    for (let turn = 0; turn < 20; turn += 1) expect(firstError(await (await client.complete()).text())).toBeUndefined();
  });

  it('end at once when the client leaves, whatever they were doing', async () => {
    const names = ['slow frames=1000 delay=1000', 'bench tokens=100000000', 'stall-before-content'];
    for (const name of names) {
      const client = await createWebPageClient(upstream.url);
      const leaving = new AbortController();
      const chatId = await client.createChat();
      const answer = await client.complete({
        prompt: `x [[scenario:${name}]]`,
        body: { chat_id: chatId },
        signal: leaving.signal,
      });
      const mine = ({ tokenUserId, path }: ReceivedRequest): boolean =>
        tokenUserId === client.userId && path === '/api/v2/chat/completions';
      expect(answer.status).toBe(200);
      leaving.abort();
      const left = await upstream.waitForAbort(mine, withinMs);
      expect(left.finishedAtMs).toBeUndefined();
      expect(upstream.runningStreams()).toBe(0);
    }
  });

  it('wait before the first byte and between the frames when told', async () => {
    upstream.configure({ delayMs: 30, frameDelayMs: 5, answerFrames: 4 });
    const client = await createWebPageClient(upstream.url);
    await (await client.complete()).text();
    const done = await upstream.waitForRequest(
      (request) => isCompletion(request) && request.finishedAtMs !== undefined,
      withinMs,
    );
    expect(done.finishedAtMs! - done.atMs).toBeGreaterThanOrEqual(30 + 4 * 4);
  });
});

describe('a configured fault', () => {
  it('comes before the checks, as often as told', async () => {
    const client = await createWebPageClient(upstream.url);
    upstream.configure({ completionFault: '503', failTimes: 2 });
    expect((await client.complete()).status).toBe(503);
    expect((await client.complete({ headers: { 'x-signature': 'bad' } })).status).toBe(503);
    expect(upstream.log.at(-1)).toMatchObject({ scenario: 'fault-503', faults: ['signature'] });
    expect((await client.complete()).status).toBe(200);
    expect(upstream.settings().failTimes).toBe(0);
  });

  it('may be a scenario', async () => {
    const client = await createWebPageClient(upstream.url);
    upstream.configure({ completionFault: 'error-concurrency', failTimes: 1 });
    expect(firstError(await (await client.complete()).text())).toMatchObject({ code: 429 });
    expect(upstream.log.at(-1)?.scenario).toBe('fault-error-concurrency');
    expect(firstError(await (await client.complete()).text())).toBeUndefined();
  });

  it('may cut the connection before any byte', async () => {
    const client = await createWebPageClient(upstream.url);
    upstream.configure({ completionFault: 'reset' });
    await expect(client.complete()).rejects.toThrow();
    const cut = await upstream.waitForRequest(
      (request) => isCompletion(request) && request.finishedAtMs !== undefined,
      withinMs,
    );
    expect([cut.status, cut.abortedAtMs]).toEqual([undefined, undefined]);
  });
});

describe('waiting', () => {
  it('sees requests that were there and those to come, and gives up in time', async () => {
    const coming = upstream.waitForRequest(isCompletion, withinMs);
    const client = await createWebPageClient(upstream.url);
    await (await client.complete()).text();
    expect((await coming).id).toBe((await upstream.waitForRequest(isCompletion, 1)).id);
    await expect(upstream.waitForRequest(({ path }) => path === '/never', 20)).rejects.toThrow(
      '/api/v2/chat/completions 200',
    );
  });

  it('is over when the simulator is closed', async () => {
    const other = await startFakeUpstream();
    const waiting = expect(other.waitForRequest(() => false, 60_000)).rejects.toThrow('closed');
    await other.close();
    await waiting;
  });
});
