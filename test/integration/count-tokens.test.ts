import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errorBodySchema } from '../support/message-schemas.ts';
import { messagesBody, postMessages } from '../support/messages-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

const path = '/v1/messages/count_tokens';

describe('POST /v1/messages/count_tokens', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ env: { ZAI_MAX_CONCURRENT_REQUESTS: '1' } });
  });
  afterAll(() => stack.close());

  async function count(fields: object = {}, asked = `${path}?beta=true`): Promise<number> {
    const { max_tokens: _unused, ...body } = messagesBody('Hello there', fields as Record<string, unknown>);
    const response = await postMessages(stack.url, body, { path: asked });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { input_tokens: number };
    expect(answer).toEqual({ input_tokens: expect.any(Number) });
    return answer.input_tokens;
  }

  it('M20: counts everything, the longer the more', async () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://pictures.example/a.png' } };
    const tool = { name: 'look', description: 'Looks at things.', input_schema: { type: 'object' } };
    const counts = [
      await count({ messages: [{ role: 'user', content: '' }] }),
      await count(),
      await count({ system: 'Be terse.' }),
      await count({ system: 'Be terse.', tools: [tool] }),
      await count({ system: 'Be terse.', tools: [tool], messages: [{ role: 'user', content: [image] }] }),
      await count({ messages: [{ role: 'user', content: 'Many words. '.repeat(20_000) }] }),
    ];
    expect(counts[0]).toBe(1);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size).toBe(counts.length);
  });

  it('M20: answers fifty at once without a slot, a credential or the upstream', async () => {
    const before = stack.upstream.log.length;
    const counts = await Promise.all(Array.from({ length: 50 }, () => count()));
    expect(new Set(counts).size).toBe(1);
    expect(stack.upstream.log).toHaveLength(before);
    expect(await stack.metric('zai_gateway_waiting_requests')).toBe(0);
  });

  it.each(['/messages/count_tokens', '/anthropic/v1/messages/count_tokens', '/v1/v1/messages/count_tokens/'])(
    'H19: is at %s, too',
    async (alias) => {
      expect(await count({}, alias)).toBeGreaterThan(0);
    },
  );

  it('refuses what a request would be refused for', async () => {
    const response = await postMessages(stack.url, messagesBody('hi', { messages: [] }), { path });
    expect(response.status).toBe(400);
    expect(errorBodySchema.parse(await response.json()).error.message).toContain('messages');
    const wrong = await fetch(stack.url + path);
    expect(wrong.status).toBe(405);
    expect(errorBodySchema.parse(await wrong.json()).error.type).toBe('invalid_request_error');
  });
});
