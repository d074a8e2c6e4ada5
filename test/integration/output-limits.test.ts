import { describe, expect, it } from '@jest/globals';
import { askWhole, postChat, scenario } from '../support/chat-client.ts';
import { hasContent, openStream } from '../support/event-stream.ts';
import { startStack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const patience = { withinMs: 5_000 };
/** An answer that would take a minute: whoever gets the end of it early has ended the upstream call. */
const slow = scenario('slow frames=600 delay=100');
const tokens = 'zai_translator_tokens_total';

describe('what a client sets a limit to', () => {
  it.each([
    [{ stop: 'rd2' }, 'stop'],
    [{ stop: ['nowhere', 'word3'] }, 'stop'],
    [{ max_tokens: 2 }, 'length'],
    [{ max_completion_tokens: 2, max_tokens: 9_000 }, 'length'],
  ])('C08, C10: %j ends the answer with %s, and the upstream call with it', async (limits, reason) => {
    await using stack = await startStack();
    const answer = await askWhole(stack.url, slow, { body: limits });
    expect(answer.choices[0]!.finish_reason).toBe(reason);
    const [choice] = answer.choices;
    if (reason === 'stop')
      expect(choice!.message.content).toBe(
        'stop' in limits && Array.isArray(limits.stop) ? 'word1 word2 ' : 'word1 wo',
      );
    if (reason === 'length') expect(answer.usage.completion_tokens).toBeLessThanOrEqual(2);
    await waitFor(() => stack.upstream.runningStreams() === 0, patience);
    await waitFor(async () => (await stack.metric(tokens, { exactness: 'estimated', type: 'input' })) > 0, patience);
  });

  it('ends a stream properly, with usage', async () => {
    await using stack = await startStack();
    const stream = await openStream(stack.url, slow, {
      body: { max_tokens: 3, stream_options: { include_usage: true } },
    });
    const blocks = await stream.rest();
    expect(blocks.at(-1)).toBe('data: [DONE]');
    expect(blocks.at(-2)).toContain('"choices":[],"usage":{');
    expect(blocks.at(-3)).toContain('"finish_reason":"length"');
    await waitFor(() => stack.upstream.runningStreams() === 0, patience);
  });

  it('is named once when it has no effect', async () => {
    await using stack = await startStack();
    const response = await postChat(stack.url, 'hi', { body: { temperature: 0.2, top_p: 0.9, seed: 1 } });
    await response.text();
    expect(response.headers.get('x-gateway-ignored-params')?.split(',').sort()).toEqual([
      'seed',
      'temperature',
      'top_p',
    ]);
  });
});

describe('a turn that breaks off', () => {
  it('is booked by an estimate when the client leaves', async () => {
    await using stack = await startStack();
    const leaving = new AbortController();
    const stream = await openStream(stack.url, slow, { signal: leaving.signal });
    await stream.find(hasContent);
    leaving.abort();
    await waitFor(async () => (await stack.metric(tokens, { exactness: 'estimated', type: 'output' })) > 0, patience);
  });

  it('is booked by an estimate when the upstream fails', async () => {
    await using stack = await startStack();
    const stream = await openStream(stack.url, scenario('error-model-busy-after-content'));
    expect((await stream.rest()).at(-1)).toContain('"error"');
    await waitFor(async () => (await stack.metric(tokens, { exactness: 'estimated', type: 'output' })) > 0, patience);
  });
});

describe('a web search', () => {
  const cited = 'As reported [[1]](https://example.org/).';

  it('gives its sources as annotations with the place of their links', async () => {
    await using stack = await startStack();
    const answer = await askWhole(stack.url, scenario('search-results'));
    expect(answer.choices[0]!.message).toMatchObject({
      content: cited,
      annotations: [
        {
          url_citation: { url: 'https://example.org/', title: 'Example', start_index: 12, end_index: cited.length - 1 },
        },
        { url_citation: { url: 'https://example.net/two', start_index: 0, end_index: 0 } },
      ],
    });
  });

  it('lists its sources in the text on demand', async () => {
    await using stack = await startStack({ env: { ZAI_SEARCH_SOURCES: 'list' } });
    const answer = await askWhole(stack.url, scenario('search-results'));
    expect(answer.choices[0]!.message.content).toBe(
      `${cited}\n\n**Sources**\n1. [Example](https://example.org/)\n2. [Second](https://example.net/two)`,
    );
  });
});
