import { describe, expect, it } from '@jest/globals';
import { askWhole, scenario } from '../support/chat-client.ts';
import { chunksOf, hasContent, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack } from '../support/start-stack.ts';

const said = 'Hello from GLM. You said: hi';

describe('a stream', () => {
  it.each([
    'plain',
    'answer-resent',
    'user-echo',
    'usage-missing',
    'done-wrapped',
    'done-missing',
    'done-bare',
    'two-done-frames',
    'frames-after-done',
    'frames-after-end',
    'crlf',
    'no-space',
    'byte-by-byte',
    'keep-alive-events',
    'message-events',
    'error-on-done',
  ])('is whole however the upstream frames it (%s)', async (name) => {
    await using stack = await startStack();
    const blocks = await (await openStream(stack.url, scenario(name))).rest();
    expect(joinChunks(chunksOf(blocks))).toEqual({ text: said, reasoning: '', finishReasons: ['stop'], errors: [] });
    expect(blocks.at(-1)).toBe('data: [DONE]');
    expect((await askWhole(stack.url, scenario(name))).choices[0]!.message.content).toBe(said);
  });

  it('passes each token on before the next one is made', async () => {
    await using stack = await startStack();
    const leaving = new AbortController();
    const stream = await openStream(stack.url, scenario('stall-after-content'), { signal: leaving.signal });
    expect(JSON.parse((await stream.find(hasContent)).slice('data: '.length))).toMatchObject({
      choices: [{ delta: { content: 'Hello' } }],
    });
    leaving.abort();
  });

  it('carries two megabytes in one frame', async () => {
    await using stack = await startStack();
    const { text } = joinChunks(chunksOf(await (await openStream(stack.url, scenario('large-frame'))).rest()));
    expect(text).toHaveLength(2 * 1024 * 1024);
  });

  it('H22: that nobody reads holds the upstream back and nobody else up', async () => {
    await using stack = await startStack();
    const leaving = new AbortController();
    // Some 200 MB, were they all taken.
    const unread = await openStream(stack.url, scenario('bench tokens=2000000 size=40'), { signal: leaving.signal });
    expect(unread.status).toBe(200);
    for (let count = 0; count < 20; count += 1) await askWhole(stack.url, 'hi');
    const bench = stack.upstream.log.find((request) => request.scenario === 'bench');
    expect(bench).toMatchObject({ status: 200 });
    expect(bench?.finishedAtMs).toBeUndefined();
    leaving.abort();
    await stack.upstream.waitForAbort((request) => request.scenario === 'bench', 2_000);
  });

  it('ends the upstream call of an answer that was complete, at once', async () => {
    await using stack = await startStack();
    await (await openStream(stack.url, 'hi')).rest();
    const completion = stack.upstream.log.find(({ path }) => path.endsWith('/completions'));
    // Read to its end, not cut: the connection can serve the next turn.
    expect(completion).toMatchObject({ finishedAtMs: expect.any(Number) });
    expect(completion?.abortedAtMs).toBeUndefined();
  });
});
