import { describe, expect, it } from '@jest/globals';
import type { ReceivedRequest } from '../fake-upstream/index.ts';
import { askText, askWhole, postChat, scenario } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const completions = ({ upstream }: Stack): ReceivedRequest[] =>
  upstream.log.filter(({ path }) => path === '/api/v2/chat/completions');
const usersOf = (stack: Stack): (string | undefined)[] => completions(stack).map(({ tokenUserId }) => tokenUserId);
const refusals = ({ upstream }: Stack): ReceivedRequest[] => upstream.log.filter(({ status }) => status === 401);
const said = 'Hello from GLM. You said: hi';

describe('a failure before the first content', () => {
  it('401: goes on as another guest; the dead one is removed and replaced', async () => {
    await using stack = await startStack({ env: { ZAI_ANON_POOL_SIZE: '2' } });
    const [first, second] = stack.upstream.issuedTokens();
    stack.upstream.revokeToken(first!.token);
    // Whichever comes first: of two turns at once one meets the dead guest.
    const turns = [askWhole(stack.url, 'hi'), askWhole(stack.url, 'hi')];
    for (const answer of await Promise.all(turns)) expect(answer.choices[0]!.message.content).toBe(said);
    expect(refusals(stack)).toHaveLength(1);
    await waitFor(() => stack.upstream.issuedTokens().length === 3, { withinMs: 8_000 });
    await waitFor(async () => (await stack.metric('zai_credentials', { kind: 'guest', state: 'ready' })) === 2, {
      withinMs: 5_000,
    });
    for (let count = 0; count < 4; count += 1) await askWhole(stack.url, 'hi');
    const [, , third] = stack.upstream.issuedTokens();
    expect(new Set(usersOf(stack))).toEqual(new Set([second!.userId, third!.userId]));
    expect(refusals(stack)).toHaveLength(1);
  });

  it('401 in the stream: goes on as another guest', async () => {
    await using stack = await startStack({
      env: { ZAI_ANON_POOL_SIZE: '2' },
      upstream: { completionFault: 'error-auth', failTimes: 1 },
    });
    expect(await askText(stack.url, 'hi')).toBe(said);
    const users = usersOf(stack);
    expect([users.length, new Set(users).size]).toEqual([2, 2]);
  });

  it('concurrency: goes on as another identity', async () => {
    await using stack = await startStack({ upstream: { completionFault: 'error-concurrency', failTimes: 2 } });
    expect(await askText(stack.url, 'hi')).toBe(said);
    const users = usersOf(stack);
    expect([users.length, new Set(users).size]).toEqual([3, 3]);
  });

  it.each(['error-internal', '500', '503', 'empty', 'reset'])('%s: is tried once more', async (fault) => {
    await using stack = await startStack({ upstream: { completionFault: fault, failTimes: 1 } });
    const stream = await openStream(stack.url, 'hi');
    expect(joinChunks(chunksOf(await stream.rest()))).toMatchObject({
      text: said,
      errors: [],
      finishReasons: ['stop'],
    });
    expect(completions(stack)).toHaveLength(2);
    expect(await stack.metric('zai_translator_retries_total')).toBe(1);
  });

  it.each(['error-internal', '500', 'empty'])('%s: is not tried a third time', async (fault) => {
    await using stack = await startStack({ upstream: { completionFault: fault } });
    expect((await postChat(stack.url, 'hi')).status).toBe(502);
    expect(completions(stack)).toHaveLength(2);
  });

  it.each(['in-stream', '426'] as const)('stale version (%s): is read anew and tried once more', async (answer) => {
    await using stack = await startStack({ upstream: { staleVersionAnswer: answer } });
    await askWhole(stack.url, 'hi');
    stack.upstream.configure({ frontendVersion: 'prod-fe-1.2.3' });
    expect(await askText(stack.url, 'hi')).toBe(said);
    expect(completions(stack).map(({ headers }) => headers['x-fe-version'])).toEqual([
      'prod-fe-1.1.98',
      'prod-fe-1.1.98',
      'prod-fe-1.2.3',
    ]);
  });

  it('stale version (edge block): the turn fails, but the version is read anew for the next one', async () => {
    await using stack = await startStack({ upstream: { staleVersionAnswer: 'waf' } });
    stack.upstream.configure({ frontendVersion: 'prod-fe-1.2.3' });
    expect((await postChat(stack.url, 'hi')).status).toBe(502);
    expect(completions(stack)).toHaveLength(1);
    const pageReadings = (): number => stack.upstream.log.filter(({ path }) => path === '/').length;
    await waitFor(() => pageReadings() === 2, { withinMs: 2_000, what: 'a second reading of the start page' });
    await waitFor(() => askWhole(stack.url, 'hi').catch(() => undefined), { withinMs: 2_000 });
  });

  it('stale for good: is tried once more and no more', async () => {
    await using stack = await startStack({ upstream: { completionFault: 'error-stale-version' } });
    expect((await postChat(stack.url, 'hi')).status).toBe(502);
    expect(completions(stack)).toHaveLength(2);
  });

  it.each(['error-challenge', 'waf', 'error-level', 'error-sensitive', 'error-model-busy', '429', '422'])(
    '%s: is never tried again',
    async (fault) => {
      await using stack = await startStack({ upstream: { completionFault: fault } });
      await postChat(stack.url, 'hi');
      expect(completions(stack)).toHaveLength(1);
      expect(await stack.metric('zai_translator_retries_total')).toBe(0);
    },
  );

  it.each(['error-concurrency', 'error-auth'])('%s: is tried six times at most', async (fault) => {
    await using stack = await startStack({
      env: (upstream) => ({
        // Guests come at a pace; users are there at once.
        ZAI_ANON_TOKEN_ENABLED: 'false',
        ZAI_UPSTREAM_TOKEN: Array.from({ length: 8 }, () => upstream.addUserToken().token).join(','),
      }),
      upstream: { completionFault: fault },
    });
    expect((await postChat(stack.url, 'hi')).status).toBeGreaterThanOrEqual(429);
    expect(usersOf(stack)).toHaveLength(6);
    expect(new Set(usersOf(stack)).size).toBe(6);
  });
});

describe('a failure after the first content', () => {
  it.each(['error-internal-after-content', 'error-concurrency-after-content', 'connection-reset', 'eof-mid-frame'])(
    '%s: is never tried again',
    async (name) => {
      await using stack = await startStack();
      const stream = await openStream(stack.url, scenario(name));
      await stream.rest();
      await postChat(stack.url, scenario(name));
      expect(completions(stack)).toHaveLength(2);
      expect(await stack.metric('zai_translator_retries_total')).toBe(0);
    },
  );
});
