import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { askWhole, postChat, scenario } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';

interface Status {
  readonly object: string;
  readonly state: string;
  readonly drivers: readonly {
    readonly name: string;
    readonly state: string;
    readonly since: string;
    readonly last_success_at: string | null;
    readonly last_failure: { at: string; code: string; reason: string | null; message: string } | null;
    readonly recent_tries: { good: number; failed: number };
    readonly breaker: { state: string; retry_at: string | null };
    readonly models: { source: string };
    readonly pool: Pool | null;
    readonly frontend_version: { version: string; source: string; read_at: string | null } | null;
  }[];
  readonly models: { source: string };
  readonly pool: Pool;
}

interface Pool {
  readonly state: string;
  readonly reason: string | null;
  readonly retry_at: string | null;
  readonly guest: Record<string, number>;
}

const single = { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.2' };

async function statusOf({ url }: Stack, headers: Record<string, string> = {}): Promise<Status> {
  const response = await fetch(`${url}/v1/status`, { headers });
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return (await response.json()) as Status;
}

const driverOf = async (stack: Stack): Promise<Status['drivers'][number]> => (await statusOf(stack)).drivers[0]!;
const probe = async ({ adminUrl }: Stack, path: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${adminUrl}${path}`);
  return { status: response.status, body: await response.json() };
};
const completions = ({ upstream }: Stack): number =>
  upstream.log.filter(({ path }) => path === '/api/v2/chat/completions').length;

describe('GET /v1/status', () => {
  it('says everything and gives nothing away', async () => {
    await using stack = await startStack({ env: single });
    const fresh = await statusOf(stack);
    expect(fresh).toMatchObject({
      object: 'status',
      state: 'unknown',
      drivers: [{ name: 'web', state: 'unknown', last_success_at: null, last_failure: null }],
      models: { source: 'live' },
    });
    const beforeMs = Date.now();
    await askWhole(stack.url, 'hi');
    await postChat(stack.url, scenario('error-model-busy'));
    const status = await statusOf(stack);
    const [driver] = status.drivers;
    expect(status).toMatchObject({ state: 'ok', pool: { state: 'ok', reason: null, guest: { total: 1 } } });
    expect(driver).toMatchObject({
      state: 'ok',
      last_failure: { code: 'upstream_busy', reason: 'model_busy' },
      recent_tries: { good: 1, failed: 1 },
      frontend_version: { version: 'prod-fe-1.1.98', source: 'live' },
    });
    expect(Date.parse(driver!.last_success_at!)).toBeGreaterThanOrEqual(beforeMs);
    expect(Date.parse(driver!.since)).toBeGreaterThanOrEqual(beforeMs);
    const text = JSON.stringify(status);
    for (const { token, userId } of stack.upstream.issuedTokens()) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(userId);
    }
    expect(text).not.toContain(new URL(stack.upstream.url).host);
  });

  it('asks the upstream nothing', async () => {
    await using stack = await startStack({ env: single });
    const before = stack.upstream.log.length;
    for (let count = 0; count < 3; count += 1) await statusOf(stack);
    await stack.metric('zai_upstream_status');
    expect(stack.upstream.log.length).toBe(before);
  });

  it('needs a key, is for reading only, and answers HEAD and its aliases', async () => {
    await using stack = await startStack({ env: { ...single, ZAI_API_KEY: 'key-1' } });
    const headers = { authorization: 'Bearer key-1' };
    expect((await fetch(`${stack.url}/v1/status`)).status).toBe(401);
    expect((await statusOf(stack, headers)).object).toBe('status');
    const post = await fetch(`${stack.url}/v1/status`, { method: 'POST', headers });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    const head = await fetch(`${stack.url}/v1/status`, { method: 'HEAD', headers });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await fetch(`${stack.url}/openai/v1/status/`, { headers })).status).toBe(200);
  });

  it('tells a configured frontend version and a built-in model list from those that were read', async () => {
    await using stack = await startStack({
      env: { ...single, ZAI_FE_VERSION: 'prod-fe-1.0.1' },
      upstream: { indexFault: '503', modelsFault: '503' },
    });
    const status = await statusOf(stack);
    expect(status.drivers[0]!.frontend_version).toEqual({
      version: 'prod-fe-1.0.1',
      source: 'configured',
      read_at: null,
    });
    expect(status.models).toEqual({ source: 'built-in' });
  });
});

describe('docs/status.md', () => {
  const page = readFileSync(new URL('../../docs/status.md', import.meta.url), 'utf8');
  const example = JSON.parse(/```json\n([^]+?)```/.exec(page)?.[1] ?? '') as Status;

  /** Each field with what it holds; times and messages are each alike. */
  function shapeOf(value: unknown, field = ''): unknown {
    if (Array.isArray(value)) return value.map((each) => shapeOf(each));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeOf(each, name)]));
    if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return 'time';
    if (field === 'message') return String(value).slice(0, 30);
    return typeof value === 'number' ? 'number' : value;
  }

  it('shows the answer of a service whose web backend asks for verification, field by field', async () => {
    await using stack = await startStack({
      env: { ZAI_UPSTREAMS: 'web,platform', ZAI_PLATFORM_API_KEY: 'key', ZAI_ANON_POOL_SIZE: '3' },
      upstream: { completionFault: 'error-challenge' },
    });
    for (const model of ['glm-4.7@web', 'glm-4.7@platform']) await postChat(stack.url, 'hi', { body: { model } });
    // Until its breaker is open: guests are challenged one after the other, and then there are none.
    await waitFor(
      async () => {
        await postChat(stack.url, 'hi');
        return (await driverOf(stack)).breaker.state === 'open';
      },
      { withinMs: 10_000, what: 'the breaker to open' },
    );
    const status = await statusOf(stack);
    expect(shapeOf(status)).toEqual(shapeOf(example));
    expect(status.drivers.map((driver) => Object.keys(driver))).toEqual(
      example.drivers.map((driver) => Object.keys(driver)),
    );
    // The same in metrics: what works, since when, and why not.
    for (const { name, state, since, last_failure: failure, breaker } of status.drivers) {
      expect(await stack.metric('zai_upstream_status', { driver: name, state })).toBe(1);
      expect(await stack.metric('zai_upstream_breaker', { driver: name, state: breaker.state })).toBe(1);
      const sinceSeconds = await stack.metric('zai_upstream_status_since_timestamp_seconds', { driver: name });
      expect(sinceSeconds).toBeCloseTo(Date.parse(since) / 1000, 3);
      const failedSeconds = await stack.metric('zai_upstream_last_failure_timestamp_seconds', {
        driver: name,
        ...(failure && { code: failure.code }),
      });
      expect(failedSeconds).toBeCloseTo(failure ? Date.parse(failure.at) / 1000 : 0, 3);
    }
  });

  it('names every field', () => {
    const names = (value: unknown): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, each]) => (Array.isArray(value) ? names(each) : [name, ...names(each)]))
        : [];
    const text = page.slice(page.indexOf('```\n', page.indexOf('```json')));
    for (const field of [
      'state',
      'since',
      'last_success_at',
      'last_failure',
      'recent_tries',
      'breaker',
      'models',
      'pool',
      'frontend_version',
    ]) {
      expect(names(example)).toContain(field);
      expect(text).toContain(`\`${field}`);
    }
  });
});

describe('the state of the upstream', () => {
  it.each([
    ['error-challenge', 'challenged', 'upstream_challenged', null],
    ['403-challenge', 'challenged', 'upstream_challenged', null],
    ['waf', 'blocked', 'upstream_blocked', null],
    ['error-stale-version', 'drifted', 'upstream_drifted', 'frontend_version_outdated'],
    ['426', 'drifted', 'upstream_drifted', 'frontend_version_outdated'],
    ['bad-signature', 'drifted', 'upstream_drifted', 'signature_rejected'],
    ['404', 'drifted', 'upstream_drifted', null],
    ['405', 'drifted', 'upstream_drifted', null],
    ['422', 'drifted', 'upstream_drifted', null],
    ['429', 'degraded', 'upstream_busy', 'upstream_rate_limited'],
    ['503', 'degraded', 'upstream_failed', null],
    ['empty', 'degraded', 'upstream_failed', 'empty_answer'],
    ['reset', 'degraded', 'upstream_failed', null],
    ['error-model-busy', 'degraded', 'upstream_busy', 'model_busy'],
  ])('after %s is %s, in the answer and in the metrics, until a turn succeeds', async (fault, state, code, reason) => {
    await using stack = await startStack({
      env: { ZAI_CREDENTIAL_WAIT: '0.2' },
      upstream: { completionFault: fault },
    });
    await postChat(stack.url, 'hi');
    const status = await statusOf(stack);
    expect(status.state).toBe(state);
    expect(status.drivers[0]).toMatchObject({ state, last_failure: { code, reason } });
    expect(await stack.metric('zai_upstream_status', { driver: 'web', state })).toBe(1);
    expect(await stack.metric('zai_upstream_status', { driver: 'web' })).toBe(1);
    expect(await stack.metric('zai_upstream_last_success_timestamp_seconds', { driver: 'web' })).toBe(0);

    stack.upstream.configure({ completionFault: null });
    await askWhole(stack.url, 'hi');
    expect((await driverOf(stack)).state).toBe('ok');
    expect(await stack.metric('zai_upstream_status', { driver: 'web', state: 'ok' })).toBe(1);
    expect(await stack.metric('zai_upstream_last_success_timestamp_seconds')).toBeGreaterThan(1_600_000_000);
  });

  it('is not degraded by one fault among successes, but by three', async () => {
    await using stack = await startStack();
    for (let count = 0; count < 3; count += 1) await askWhole(stack.url, 'hi');
    const fail = (): Promise<Response> => postChat(stack.url, scenario('error-model-busy'));
    await fail();
    await fail();
    expect((await driverOf(stack)).state).toBe('ok');
    await fail();
    expect((await driverOf(stack)).state).toBe('degraded');
  });

  it('is not changed by what is no fault of the upstream', async () => {
    await using stack = await startStack();
    await askWhole(stack.url, 'hi');
    for (const name of ['error-level', 'error-sensitive', 'error-model-not-found'])
      await postChat(stack.url, scenario(name));
    await postChat(stack.url, 'hi', { body: { messages: 'none' } });
    await postChat(stack.url, 'hi', { body: { model: 'nobody-knows' } });
    expect(await driverOf(stack)).toMatchObject({ state: 'ok', last_failure: null });
  });

  it('counts a failure behind the first content too', async () => {
    await using stack = await startStack();
    await postChat(stack.url, scenario('error-challenge-after-content'));
    expect(await driverOf(stack)).toMatchObject({
      state: 'challenged',
      last_failure: { code: 'upstream_challenged' },
      recent_tries: { good: 1, failed: 1 },
    });
  });

  it('is that of the supply when no credential is left, and the process stays ready', async () => {
    await using stack = await startStack({ env: single, upstream: { authFault: '403-challenge' } });
    const status = await statusOf(stack);
    expect(status).toMatchObject({
      state: 'challenged',
      drivers: [{ state: 'challenged', last_failure: null }],
      pool: { state: 'challenged', guest: { total: 0 } },
    });
    expect(Date.parse(status.pool.retry_at!)).toBeGreaterThan(Date.now());
    expect(await stack.metric('zai_upstream_status', { state: 'challenged' })).toBe(1);
    expect((await probe(stack, '/readyz')).status).toBe(200);
  });

  it('is a detail of readiness, which it does not decide, and nothing to liveness', async () => {
    await using stack = await startStack({ upstream: { completionFault: 'waf' } });
    const ready = (state: string): unknown => ({
      status: 200,
      body: { status: 'ready', details: { 'upstream web': state } },
    });
    expect(await probe(stack, '/readyz')).toEqual(ready('unknown'));
    await postChat(stack.url, 'hi');
    expect(await probe(stack, '/readyz')).toEqual(ready('blocked'));
    expect(await probe(stack, '/livez')).toEqual({ status: 200, body: { status: 'ok' } });
  });
});

describe('the canary', () => {
  const canary = { ...single, ZAI_CANARY_INTERVAL: '0.1' };
  const canaries = (stack: Stack, outcome: string): Promise<number> =>
    stack.metric('zai_translator_canary_turns_total', { driver: 'web', outcome });

  it('is off by default', async () => {
    await using stack = await startStack();
    expect(await stack.metric('zai_translator_canary_turns_total')).toBe(0);
    expect(completions(stack)).toBe(0);
  });

  it('finds out how the upstream is while nobody asks, one question at a time, counted apart', async () => {
    await using stack = await startStack({ env: canary, upstream: { delayMs: 150 } });
    await waitFor(async () => (await canaries(stack, 'good')) >= 2, { withinMs: 5_000, what: 'two canaries' });
    expect((await driverOf(stack)).state).toBe('ok');
    for (const { userId } of stack.upstream.issuedTokens()) expect(stack.upstream.highestConcurrency(userId)).toBe(1);
    expect(await stack.metric('zai_translator_turns_total')).toBe(0);
    expect(await stack.metric('zai_translator_upstream_requests_total')).toBe(0);
    expect(JSON.stringify(stack.upstream.log.find(({ path }) => path === '/api/v2/chat/completions')?.body)).toContain(
      'Reply with: ok',
    );
    await waitFor(() => stack.upstream.chats().length <= 1, { withinMs: 2_000, what: 'its chats to be deleted' });
  });

  it('finds a challenge, and the end of it, and does not insist', async () => {
    await using stack = await startStack({
      env: { ...canary, ZAI_ANON_POOL_SIZE: '3' },
      upstream: { completionFault: 'error-challenge', failTimes: 1 },
    });
    await waitFor(async () => (await canaries(stack, 'upstream_challenged')) === 1, { withinMs: 5_000 });
    expect((await driverOf(stack)).state).toBe('challenged');
    await waitFor(async () => (await driverOf(stack)).state === 'ok', { withinMs: 5_000 });
  });

  it('lets traffic have the credentials', async () => {
    await using stack = await startStack({ env: canary });
    const leaving = new AbortController();
    const running = postChat(stack.url, scenario('stall-before-content'), { signal: leaving.signal }).catch(
      () => undefined,
    );
    await waitFor(() => completions(stack) === 1, { withinMs: 2_000 });
    await waitFor(async () => (await canaries(stack, 'skipped')) >= 2, { withinMs: 5_000 });
    expect(completions(stack)).toBe(1);
    leaving.abort();
    await running;
  });

  it('ends with the runtime, also in the middle of a question', async () => {
    const stack = await startStack({ env: canary, upstream: { completionFault: 'hang' } });
    await waitFor(() => stack.upstream.runningStreams() === 0 && completions(stack) === 1, { withinMs: 5_000 });
    const startedAtMs = performance.now();
    await stack.close();
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});
