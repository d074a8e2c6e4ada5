import { describe, expect, it } from '@jest/globals';
import type { FakeUpstream, ReceivedRequest } from '../fake-upstream/index.ts';
import { askText, askWhole, postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

const said = 'Hello from GLM. You said: hi';

const isCompletion = ({ path }: ReceivedRequest): boolean => path === '/api/v2/chat/completions';
const completions = ({ upstream }: Stack): ReceivedRequest[] => upstream.log.filter(isCompletion);
const guestsOf = ({ upstream }: Stack): readonly unknown[] =>
  upstream.issuedTokens().filter(({ role }) => role === 'guest');
const userOnly = (upstream: FakeUpstream): Record<string, string> => ({
  ZAI_ANON_TOKEN_ENABLED: 'false',
  ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
  ZAI_CREDENTIAL_WAIT: '0.2',
});

async function errorOf(response: Response): Promise<ErrorBody['error'] & { status: number }> {
  return { status: response.status, ...((await response.json()) as ErrorBody).error };
}

describe('guests', () => {
  it('are there before the first request: the pool is warm', async () => {
    await using stack = await startStack();
    expect(guestsOf(stack)).toHaveLength(3);
    expect(await stack.metric('zai_credentials', { kind: 'guest', state: 'ready' })).toBe(3);
  });

  it('answer fifty at once, each one by one', async () => {
    await using stack = await startStack({ env: { ZAI_ANON_POOL_SIZE: '3', ZAI_CREDENTIAL_WAIT: '20' } });
    const crowd = Array.from({ length: 50 }, (_, index) =>
      index % 2 === 0
        ? askWhole(stack.url, `turn ${index}`).then((answer) => answer.choices[0]!.message.content)
        : askWhole(stack.url, scenario('slow frames=2 delay=5', `turn ${index}`)).then(
            (answer) => answer.choices[0]!.message.content,
          ),
    );
    const answers = await Promise.all(crowd);
    expect(answers.filter((text, index) => text === `Hello from GLM. You said: turn ${index}`)).toHaveLength(25);
    expect(answers.filter((text) => text === 'word1 word2 ')).toHaveLength(25);
    expect(completions(stack)).toHaveLength(50);
    expect(completions(stack).filter(({ faults }) => faults.length > 0)).toEqual([]);
    for (const { userId } of stack.upstream.issuedTokens())
      expect(stack.upstream.highestConcurrency(userId)).toBeLessThanOrEqual(1);
    expect(guestsOf(stack)).toHaveLength(3);
  });

  it('that are all busy are waited for, and no longer than ZAI_CREDENTIAL_WAIT', async () => {
    await using stack = await startStack({ env: { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.2' } });
    const leaving = new AbortController();
    const first = postChat(stack.url, scenario('stall-before-content'), { signal: leaving.signal });
    first.catch(() => undefined);
    await stack.upstream.waitForRequest(isCompletion, 2_000);
    const response = await postChat(stack.url, 'hi');
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await errorOf(response)).toMatchObject({ status: 503, code: 'server_is_overloaded' });
    leaving.abort();
    expect(await askText(stack.url, 'hi')).toBe(said);
  });

  it('that all need verification are left alone: typed at once, no storm', async () => {
    await using stack = await startStack({ upstream: { requireVerification: 'guests' } });
    for (let count = 0; count < 3; count += 1)
      expect(await errorOf(await postChat(stack.url, 'hi'))).toMatchObject({ status: 503, code: 'upstream_challenge' });
    expect(completions(stack)).toHaveLength(3);
    const startedAtMs = performance.now();
    const response = await postChat(stack.url, 'hi');
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(60);
    expect(await errorOf(response)).toMatchObject({ status: 503, code: 'upstream_challenge' });
    expect([completions(stack).length, guestsOf(stack).length]).toEqual([3, 3]);
    expect(await stack.metric('zai_credentials', { kind: 'guest', state: 'challenged' })).toBe(3);
  });

  it.each([
    ['403-challenge', 503, 'upstream_challenge'],
    ['waf', 502, 'upstream_blocked'],
    ['429', 429, 'upstream_rate_limited'],
    ['500', 502, 'upstream_error'],
  ] as const)('that cannot be had (%s) are a typed error at once', async (authFault, status, code) => {
    await using stack = await startStack({ upstream: { authFault } });
    const startedAtMs = performance.now();
    expect(await errorOf(await postChat(stack.url, 'hi'))).toMatchObject({ status, code });
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    const asked = stack.upstream.log.filter(({ path }) => path === '/api/v1/auths/').length;
    await Promise.all(Array.from({ length: 10 }, () => postChat(stack.url, 'hi')));
    // Ten more turns ask for no more guests: a bad state is waited out.
    expect(stack.upstream.log.filter(({ path }) => path === '/api/v1/auths/')).toHaveLength(asked);
  });
});

describe('ZAI_ANON_TOKEN_ENABLED=false', () => {
  it('uses the user token and nothing else', async () => {
    await using stack = await startStack({ env: userOnly });
    const [user] = stack.upstream.issuedTokens();
    for (let count = 0; count < 5; count += 1) await askWhole(stack.url, 'hi');
    expect(new Set(completions(stack).map(({ tokenUserId }) => tokenUserId))).toEqual(new Set([user!.userId]));
    expect(guestsOf(stack)).toEqual([]);
    // No call went out without the token but the one for the start page.
    const anonymous = stack.upstream.log.filter(({ tokenUserId }) => tokenUserId === undefined);
    expect(anonymous.map(({ path }) => path)).toEqual(['/']);
  });

  it.each(['guest', '401'] as const)(
    'never falls back to a guest when the token dies (the upstream then answers %s)',
    async (deadTokenAnswer) => {
      await using stack = await startStack({ env: userOnly, upstream: { deadTokenAnswer } });
      await askWhole(stack.url, 'hi');
      const [user] = stack.upstream.issuedTokens();
      stack.upstream.revokeToken(user!.token);
      for (let count = 0; count < 3; count += 1) {
        const { status, code, message } = await errorOf(await postChat(stack.url, 'hi'));
        expect([502, 503]).toContain(status);
        expect(['upstream_unauthorized', 'no_credentials', 'server_is_overloaded']).toContain(code);
        expect(message).not.toContain(user!.token);
      }
      expect(completions(stack)).toHaveLength(1);
      await waitFor(() => stack.logLines().find(({ msg }) => msg.includes('user token is dead')), { withinMs: 2_000 });
      // The silent downgrade makes a guest upstream; it must never be used for a turn.
      const guestIds = stack.upstream.issuedTokens().flatMap(({ role, userId }) => (role === 'guest' ? [userId] : []));
      expect(stack.upstream.log.filter(({ tokenUserId }) => guestIds.includes(tokenUserId ?? ''))).toEqual([]);
    },
  );

  it('says so at once when the configured token is dead from the start', async () => {
    await using stack = await startStack({
      env: (upstream) => {
        const env = userOnly(upstream);
        upstream.revokeToken(env['ZAI_UPSTREAM_TOKEN']!);
        return env;
      },
    });
    const response = await postChat(stack.url, 'hi');
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await errorOf(response)).toMatchObject({ status: 503, code: 'no_credentials' });
    expect(completions(stack)).toHaveLength(0);
  });
});

describe('a user token beside guests', () => {
  it('is preferred', async () => {
    await using stack = await startStack({
      env: (upstream) => ({ ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token }),
    });
    for (let count = 0; count < 3; count += 1) await askWhole(stack.url, 'hi');
    const [user] = stack.upstream.issuedTokens();
    expect(new Set(completions(stack).map(({ tokenUserId }) => tokenUserId))).toEqual(new Set([user!.userId]));
  });
});
