import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../fake-upstream/index.ts';
import { scenario } from '../support/chat-client.ts';
import { turnBodies } from '../support/dialect-bodies.ts';
import { readEventStream } from '../support/event-stream.ts';
import { startProcess, urlOf } from '../support/start-process.ts';

/** Starting processes from sources takes a second or two of a busy machine. */
jest.setTimeout(60_000);

let upstream: FakeUpstream;
beforeEach(async () => {
  upstream = await startFakeUpstream({ settings: { perTokenConcurrency: 9 } });
});
afterEach(() => upstream.close());

const openAiError = { error: { type: 'server_error', param: null, code: 'upstream_error' } };
/** The last frame of a stream whose inside was lost, in each API. */
const lastFrames: Readonly<Record<string, { readonly event: string | undefined; readonly data: unknown }>> = {
  '/v1/chat/completions': { event: undefined, data: openAiError },
  '/v1/completions': { event: undefined, data: openAiError },
  '/v1/responses': {
    event: 'error',
    data: { type: 'error', code: 'upstream_error', message: expect.any(String), error: { type: 'server_error' } },
  },
  '/v1/messages': {
    event: 'error',
    data: { type: 'error', error: { type: 'api_error', message: expect.any(String) } },
  },
};
const isContent = (block: string): boolean => /"(?:content|text|delta)":"[^"]/.test(block);

describe('a translator that dies within streams', () => {
  it('M18, R21: ends each of them by the error event of its API, and by nothing else', async () => {
    await using translator = startProcess('chat-translator', {
      ZAI_API_BASE: upstream.url,
      ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
      ZAI_UPSTREAM_TOKEN_CONCURRENCY: '9',
      ZAI_TRANSLATOR_HOST: '127.0.0.1',
      ZAI_TRANSLATOR_PORT: '0',
    });
    const translatorUrl = urlOf(await translator.listening);
    await using gateway = startProcess('gateway', { ZAI_PORT: '0', ZAI_TRANSLATOR_URL: translatorUrl });
    const url = urlOf(await gateway.listening);
    const streams = await Promise.all(
      turnBodies(scenario('stall-after-content')).map(async ({ path, body }) => {
        const response = await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        expect([path, response.status]).toEqual([path, 200]);
        const stream = readEventStream(response);
        await stream.find(isContent);
        return { path, stream };
      }),
    );
    translator.kill('SIGKILL');
    for (const { path, stream } of streams) {
      const blocks = (await stream.rest()).filter((block) => block !== '' && !block.startsWith(':'));
      const last = blocks.at(-1) ?? '';
      const event = /^event: (.+)$/m.exec(last)?.[1];
      const data = JSON.parse(/^data: (.+)$/m.exec(last)?.[1] ?? 'null') as unknown;
      expect({ path, event, data }).toMatchObject({ path, ...lastFrames[path] });
      expect(blocks.join('\n')).not.toMatch(/\[DONE\]|message_stop|response\.completed|"finish_reason":"/);
    }
  });
});
