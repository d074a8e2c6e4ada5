import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { Credential } from '@zai2api/credentials';
import { createLogger } from '@zai2api/runtime';
import { Agent } from 'undici';
import { createChatCleaner, type ChatCleaner } from './chat-cleaner.ts';

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const guest = (id: string): Credential => ({
  id,
  kind: 'guest',
  token: `token-${id}`,
  userId: id,
  userName: 'Guest',
  createdAtMs: 0,
  expiresAtMs: 0,
  concurrency: 1,
});

/** Runs with a server whose answers the test gives itself, one per call, in order. */
async function withCleaner(
  test: (kit: {
    cleaner: ChatCleaner;
    next(): Promise<{ line: string; answer(status: number): void }>;
    /** Resolves when the server has answered a call that was made after all others so far. */
    roundTrip(): Promise<unknown>;
    readonly mostOpen: number;
  }) => Promise<void>,
): Promise<void> {
  const calls: { line: string; answer(status: number): void }[] = [];
  const wanted: (() => void)[] = [];
  let open = 0;
  let mostOpen = 0;
  const server = createServer((request, response) => {
    if (request.url === '/round-trip') return response.end();
    mostOpen = Math.max(mostOpen, ++open);
    response.once('close', () => open--);
    const line = `${String(request.method)} ${String(request.url)} ${String(request.headers.authorization)}`;
    calls.push({ line, answer: (status) => response.writeHead(status).end('true') });
    return wanted.shift()?.();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dispatcher = new Agent();
  const cleaner = createChatCleaner({
    dispatcher,
    profile: {
      base,
      signingSecret: 'secret',
      userAgent: 'Browser/1.0',
      language: 'en-US',
      timeZone: 'Europe/Berlin',
      region: 'overseas',
      deviceId: 'device',
    },
    timeoutMs: 5_000,
    logger,
  });
  try {
    await test({
      cleaner,
      async next() {
        if (calls.length === 0) await new Promise<void>((resolve) => wanted.push(resolve));
        return calls.shift()!;
      },
      roundTrip: () => fetch(`${base}/round-trip`).then((response) => response.text()),
      get mostOpen() {
        return mostOpen;
      },
    });
  } finally {
    await cleaner.stop();
    await dispatcher.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('createChatCleaner', () => {
  it('deletes all chats of a guest with its own token, few at once, and goes on after a failure', () =>
    withCleaner(async (kit) => {
      for (const id of ['a', 'b', 'c', 'd']) kit.cleaner.clean(guest(id));
      const first = await kit.next();
      const second = await kit.next();
      await kit.roundTrip();
      first.answer(500);
      const third = await kit.next();
      second.answer(200);
      const fourth = await kit.next();
      third.answer(405);
      fourth.answer(200);
      const lines = [first, second, third, fourth].map(({ line }) => line);
      expect(lines.sort()).toEqual(['a', 'b', 'c', 'd'].map((id) => `DELETE /api/v1/chats/ Bearer token-${id}`));
      expect(kit.mostOpen).toBeLessThanOrEqual(2);
    }));

  it('drops what waits and aborts what runs when it stops', () =>
    withCleaner(async (kit) => {
      for (const id of ['a', 'b', 'c']) kit.cleaner.clean(guest(id));
      await kit.next();
      await kit.cleaner.stop();
      kit.cleaner.clean(guest('d'));
      await kit.cleaner.stop();
      expect(kit.mostOpen).toBeLessThanOrEqual(2);
    }));
});
