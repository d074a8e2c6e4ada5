import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeIdentity } from '@zai2api/dialects';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { scenario } from '../support/chat-client.ts';
import { hasContent, openStream, type EventStream } from '../support/event-stream.ts';
import { openRedisStore, type OpenedStore } from '../support/open-redis-store.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { startRedis, type RedisServer } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';

/** A process starts in a second or two of a busy machine. */
jest.setTimeout(60_000);

const WITHIN_MS = 10_000;
const MOST_BEFORE_FIRST_BYTE = 2;
const picture =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let upstream: FakeUpstream;
let redis: RedisServer;
let opened: OpenedStore;
let translator: ServiceProcess;
beforeEach(async () => {
  upstream = await startFakeUpstream();
  redis = await startRedis({ isOwn: true });
  opened = await openRedisStore(redis.settings);
  const { token } = upstream.addUserToken();
  const { userId, name } = decodeIdentity({ token });
  const times = { createdAtMs: Date.now(), expiresAtMs: Infinity };
  await opened.store.put({ id: 'user-1', kind: 'user', token, userId, userName: name, concurrency: 1, ...times });
  translator = startProcess('chat-translator', {
    ...redis.env,
    ZAI_API_BASE: upstream.url,
    ZAI_TRANSLATOR_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_PORT: '0',
  });
});
afterEach(async () => {
  await translator.close();
  await opened.close();
  await upstream.close();
  await redis.close();
});

/** What clients send to Redis from now on; what scripts do inside is no round trip. */
async function monitor(): Promise<{ readonly seen: string[]; readonly stop: () => void }> {
  const { commands } = opened;
  if (!('monitor' in commands)) throw new Error('a single Redis can be monitored');
  const watching = await commands.monitor();
  const seen: string[] = [];
  watching.on('monitor', (_time: string, args: string[], source: string) => {
    // The health of Redis is asked for all the time, by a connection of its own.
    if (source !== 'lua' && /^(evalsha|eval|get|set|hget|exists)$/i.test(args[0] ?? '')) seen.push(String(args[0]));
  });
  return { seen, stop: () => watching.disconnect() };
}

describe('a turn on Redis', () => {
  it.each([
    ['of text', {}, 1],
    [
      'with a picture, which needs a user',
      {
        model: 'glm-4.6v-nothinking',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'x [[scenario:stall-after-content for=300]]' },
              { type: 'image_url', image_url: { url: picture } },
            ],
          },
        ],
      },
      2,
    ],
  ])('%s: no more than two round trips before the first byte, one after the end', async (_what, body, before) => {
    const url = urlOf(await translator.listening);
    const run = async (): Promise<EventStream> => {
      const stream = await openStream(url, scenario('stall-after-content for=300'), { body });
      await stream.find(hasContent);
      return stream;
    };
    // Scripts are loaded, and what is learned once is known.
    await (await run()).rest();
    await waitFor(async () => (await opened.store.counts()).user.ready === 1, { withinMs: WITHIN_MS });
    const { seen, stop } = await monitor();
    try {
      const stream = await run();
      expect(seen.length).toBeLessThanOrEqual(MOST_BEFORE_FIRST_BYTE);
      expect(seen).toEqual(Array<string>(before).fill('evalsha'));
      await stream.rest();
      await waitFor(() => seen.length > before, { withinMs: WITHIN_MS, what: 'the release' });
      expect(seen).toEqual(Array<string>(before + 1).fill('evalsha'));
    } finally {
      stop();
    }
  });
});
