import { describe, expect, it } from '@jest/globals';
import { postChat, scenario } from '../support/chat-client.ts';
import { earlyFailures } from '../support/early-failures.ts';
import { readEventStream } from '../support/event-stream.ts';
import { readMessageEvents } from '../support/message-events.ts';
import { errorBodySchema } from '../support/message-schemas.ts';
import { messagesBody, postMessages } from '../support/messages-client.ts';
import { startStack } from '../support/start-stack.ts';

const isPing = (block: string): boolean => block === 'event: ping\ndata: {"type":"ping"}';
const isComment = (block: string): boolean => block.startsWith(':');

/** What a status of the OpenAI dialects is in this one (contract 5.1). */
const statuses: Readonly<Record<number, { readonly status: number; readonly type: string }>> = {
  400: { status: 400, type: 'invalid_request_error' },
  403: { status: 403, type: 'permission_error' },
  404: { status: 404, type: 'not_found_error' },
  429: { status: 429, type: 'rate_limit_error' },
  502: { status: 500, type: 'api_error' },
  503: { status: 529, type: 'overloaded_error' },
};

describe('M17: an error before the first content', () => {
  it.each(earlyFailures)('$fault', async ({ fault, status, code, retryAfter, doNotRetry, tries }) => {
    await using stack = await startStack({
      env: { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.2' },
      upstream: { completionFault: fault },
    });
    const response = await postMessages(stack.url, messagesBody('hi', { stream: true }));
    const wanted = statuses[status];
    expect(response.status).toBe(wanted?.status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('x-error-code')).toBe(code);
    expect(response.headers.get('retry-after')).toBe(retryAfter === null ? null : String(retryAfter));
    expect(response.headers.get('x-should-retry')).toBe(doNotRetry ? 'false' : null);
    const body = errorBodySchema.parse(await response.json());
    expect(body.error.type).toBe(wanted?.type);
    expect(body.request_id).toBe(response.headers.get('request-id'));
    const completions = stack.upstream.log.filter(({ path }) => path === '/api/v2/chat/completions');
    expect(completions).toHaveLength(tries);
  });

  it('is overload when no credential comes free', async () => {
    await using stack = await startStack({ env: { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.05' } });
    const leaving = new AbortController();
    const busy = await postMessages(
      stack.url,
      messagesBody(scenario('stall-after-content'), { stream: true }),
      leaving,
    );
    expect(busy.status).toBe(200);
    const response = await postMessages(stack.url, messagesBody('hi'));
    expect(response.status).toBe(529);
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(errorBodySchema.parse(await response.json()).error.type).toBe('overloaded_error');
    leaving.abort();
  });

  it.each([
    ['a wrong key', { 'x-api-key': 'sk-wrong' }, '/v1/messages', 401, 'authentication_error'],
    ['no key', {}, '/v1/messages', 401, 'authentication_error'],
    ['an unknown path', { 'x-api-key': 'sk-right' }, '/v1/messages/batches', 404, 'not_found_error'],
    [
      'a media type',
      { 'x-api-key': 'sk-right', 'content-type': 'text/plain' },
      '/v1/messages',
      415,
      'invalid_request_error',
    ],
    ['a body that is too large', { authorization: 'Bearer sk-right' }, '/v1/messages', 413, 'request_too_large'],
  ])('is typed for %s', async (what, headers, path, status, type) => {
    await using stack = await startStack({ env: { ZAI_API_KEY: 'sk-right', ZAI_MAX_BODY_BYTES: '2000' } });
    const prompt = what === 'a body that is too large' ? 'x'.repeat(3000) : 'hi';
    const response = await postMessages(stack.url, messagesBody(prompt), { headers, path });
    expect(response.status).toBe(status);
    expect(errorBodySchema.parse(await response.json()).error.type).toBe(type);
  });
});

describe('M16: a conversation that is too long', () => {
  it('is refused in the words that agents look for, before anybody is asked', async () => {
    await using stack = await startStack({ env: { ZAI_CONTEXT_TOKENS: 'glm-4.7=1000' } });
    const response = await postMessages(stack.url, messagesBody('word '.repeat(3_000), { stream: true }));
    expect(response.status).toBe(400);
    const { error } = errorBodySchema.parse(await response.json());
    expect(error.type).toBe('invalid_request_error');
    expect(error.message).toMatch(/^prompt is too long: \d+ tokens > 1000 maximum$/);
    expect(stack.upstream.log.some(({ path }) => path === '/api/v2/chat/completions')).toBe(false);
    const chat = await postChat(stack.url, 'word '.repeat(3_000));
    expect(await chat.json()).toMatchObject({ error: { code: 'context_length_exceeded', param: 'messages' } });
  });
});

describe('M18: an error after the first content', () => {
  it.each(['error-internal-after-content', 'connection-reset', 'eof-mid-frame'])(
    'is the last event (%s)',
    async (name) => {
      await using stack = await startStack();
      const response = await postMessages(stack.url, messagesBody(scenario(name), { stream: true }));
      expect(response.status).toBe(200);
      const events = readMessageEvents(await response.text());
      expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } });
      expect(events.map(({ type }) => type)).toContain('content_block_delta');
      expect(events.map(({ type }) => type)).not.toContain('message_delta');
    },
  );

  it('is a timeout when the upstream stalls', async () => {
    await using stack = await startStack({ env: { ZAI_STREAM_TIMEOUT: '0.2' } });
    const response = await postMessages(stack.url, messagesBody(scenario('stall-after-content'), { stream: true }));
    expect(readMessageEvents(await response.text()).at(-1)).toMatchObject({ error: { type: 'timeout_error' } });
  });
});

describe('M19: silence', () => {
  it('is filled with pings once the message has begun', async () => {
    await using stack = await startStack({ env: { ZAI_SSE_HEARTBEAT_SECONDS: '0.05' } });
    const response = await postMessages(
      stack.url,
      messagesBody(scenario('stall-after-content for=400'), { stream: true }),
    );
    const blocks = await readEventStream(response).rest();
    const first = blocks.findIndex((block) => block.includes('text_delta'));
    const last = blocks.findLastIndex((block) => block.includes('text_delta'));
    expect(blocks.slice(first, last).filter(isPing).length).toBeGreaterThanOrEqual(4);
    expect(blocks.filter(isComment)).toEqual([]);
    readMessageEvents(`${blocks.join('\n\n')}\n\n`);
  });

  it('is filled with comments before', async () => {
    await using stack = await startStack({ env: { ZAI_SSE_HEARTBEAT_SECONDS: '0.05', ZAI_FIRST_BYTE_GRACE: '0.05' } });
    const body = messagesBody(scenario('stall-before-content for=400'), { stream: true });
    const blocks = await readEventStream(await postMessages(stack.url, body)).rest();
    const start = blocks.findIndex((block) => block.startsWith('event: message_start'));
    expect(start).toBeGreaterThanOrEqual(4);
    expect(blocks.slice(0, start).every(isComment)).toBe(true);
    expect(readMessageEvents(`${blocks.join('\n\n')}\n\n`).at(-1)?.type).toBe('message_stop');
  });

  it('of a hidden thought is filled with pings', async () => {
    await using stack = await startStack({
      env: { ZAI_SSE_HEARTBEAT_SECONDS: '0.05' },
      upstream: { frameDelayMs: 60, answerFrames: 8 },
    });
    const body = messagesBody(scenario('thinking-then-edit'), { stream: true });
    const blocks = await readEventStream(await postMessages(stack.url, body)).rest();
    const first = blocks.findIndex((block) => block.includes('content_block_start'));
    // The one that always follows the start, and those for the silence.
    expect(blocks.slice(0, first).filter(isPing).length).toBeGreaterThanOrEqual(3);
  });
});
