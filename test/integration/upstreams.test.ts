import { describe, expect, it } from '@jest/globals';
import { askWhole, postChat, type ErrorBody } from '../support/chat-client.ts';
import { chunksOf, joinChunks, openStream } from '../support/event-stream.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

const quick = { ZAI_ANON_POOL_SIZE: '1', ZAI_CREDENTIAL_WAIT: '0.2' };
const both = { ...quick, ZAI_PLATFORM_API_KEY: 'key-a' };
const platformOnly = { ...both, ZAI_UPSTREAMS: 'platform' };

const calls = ({ upstream }: Stack): { platform: number; web: number } => ({
  platform: upstream.log.filter(({ path }) => path === '/api/paas/v4/chat/completions').length,
  web: upstream.log.filter(({ path }) => path === '/api/v2/chat/completions').length,
});

const answeredBy = async (response: Response): Promise<string | null> => {
  await response.text();
  return response.headers.get('x-gateway-upstream');
};

describe('the official API as the upstream', () => {
  it('answers streamed and whole, with thinking and exact counts', async () => {
    await using stack = await startStack({ env: platformOnly });
    const whole = await askWhole(stack.url, 'hi', { body: { model: 'glm-4.7' } });
    expect(whole).toMatchObject({
      model: 'glm-4.7',
      choices: [
        {
          message: { content: 'Hello from GLM. You said: hi', reasoning_content: 'First idea.\nSecond idea.' },
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 1 },
    });
    const stream = await openStream(stack.url, 'hi', { body: { model: 'glm-4.7' } });
    expect(stream.headers.get('x-gateway-upstream')).toBe('platform');
    expect(joinChunks(chunksOf(await stream.rest()))).toEqual({
      text: 'Hello from GLM. You said: hi',
      reasoning: 'First idea.\nSecond idea.',
      finishReasons: ['stop'],
      errors: [],
    });
    expect(calls(stack)).toEqual({ platform: 2, web: 0 });
    // No guest is minted for an upstream that is not used.
    expect(stack.upstream.issuedTokens()).toEqual([]);
  });

  it('is sent nothing that it refuses', async () => {
    await using stack = await startStack({ env: platformOnly });
    const response = await postChat(stack.url, 'hi', {
      body: {
        model: 'glm-5.3-nothinking',
        temperature: 1.7,
        top_p: 0,
        seed: 5,
        n: 1,
        stop: ['x', 'y'],
        max_tokens: 1_000_000,
        user: 'me',
        reasoning_effort: 'minimal',
      },
    });
    expect([response.status, response.headers.get('x-gateway-ignored-params')]).toEqual([
      200,
      'seed,user,temperature,top_p,max_tokens',
    ]);
    expect(stack.upstream.log.at(-1)).toMatchObject({
      faults: [],
      body: { model: 'glm-5.3', temperature: 1, top_p: 0.01, max_tokens: 131_072, thinking: { type: 'enabled' } },
    });
  });
});

describe('with both upstreams', () => {
  it('the first one answers, and a name can ask for the other', async () => {
    await using stack = await startStack({ env: both });
    expect(await answeredBy(await postChat(stack.url, 'hi'))).toBe('platform');
    const forced = await postChat(stack.url, 'hi', { body: { model: 'glm-4.7@web' } });
    expect(forced.headers.get('x-gateway-upstream')).toBe('web');
    expect(await forced.json()).toMatchObject({ model: 'glm-4.7@web' });
    expect(stack.upstream.log.at(-1)?.path).not.toContain('paas');
    expect(calls(stack)).toEqual({ platform: 1, web: 1 });
  });

  it.each([
    ['1302', 'platform'],
    ['1113', 'platform'],
    ['1002', 'platform'],
    ['1234', 'platform'],
    ['503', 'platform'],
    ['reset', 'platform'],
    ['1305', 'platform'],
  ])('platform %s: the web backend answers', async (fault) => {
    await using stack = await startStack({ env: both, upstream: { platformFault: fault } });
    for (const stream of [false, true]) {
      const response = await postChat(stack.url, 'hi', { body: { stream } });
      expect([response.status, await answeredBy(response)]).toEqual([200, 'web']);
    }
    expect(await stack.metric('zai_translator_fallbacks_total', { from: 'platform', to: 'web' })).toBeGreaterThan(0);
  });

  it.each([
    ['1301', 400, 'content_policy_violation'],
    ['1261', 400, 'context_length_exceeded'],
  ])('platform %s is told, and nobody else is asked', async (fault, status, code) => {
    await using stack = await startStack({ env: both, upstream: { platformFault: fault } });
    const response = await postChat(stack.url, 'hi');
    expect([response.status, ((await response.json()) as ErrorBody).error.code]).toEqual([status, code]);
    expect(calls(stack)).toEqual({ platform: 1, web: 0 });
  });

  it.each(['error-challenge', 'waf', '500', 'error-concurrency', 'error-level', 'error-stale-version'])(
    'web %s: the official API answers when it is the second',
    async (fault) => {
      await using stack = await startStack({
        env: { ...both, ZAI_UPSTREAMS: 'web,platform' },
        upstream: { completionFault: fault },
      });
      const response = await postChat(stack.url, 'hi');
      expect([response.status, await answeredBy(response)]).toEqual([200, 'platform']);
    },
  );
});

describe('a limit of one model', () => {
  const models = ({ upstream }: Stack): unknown[] =>
    upstream.log.flatMap(({ path, body }) =>
      path.endsWith('/chat/completions') ? [(body as { model: string }).model] : [],
    );

  it.each(['1302', '1303', '1113'])(
    '%s: the next model of the chain answers on the same key, at once',
    async (code) => {
      await using stack = await startStack({
        env: { ...platformOnly, ZAI_CREDENTIAL_WAIT: '20', ZAI_MODEL_FALLBACKS: 'glm-5=glm-4.7' },
        upstream: { platformModelFaults: { 'glm-5': code } },
      });
      for (const stream of [false, true]) {
        const response = await postChat(stack.url, 'hi', { body: { model: 'glm-5', stream } });
        expect([response.status, await answeredBy(response)]).toEqual([200, 'platform']);
      }
      // The second turn knows of the limit already.
      expect(models(stack)).toEqual(['glm-5', 'glm-4.7', 'glm-4.7']);
    },
  );

  it('leaves the other models of the key alone, and is told for its own', async () => {
    await using stack = await startStack({
      env: platformOnly,
      upstream: { platformModelFaults: { 'glm-5': '1113' } },
    });
    expect((await postChat(stack.url, 'hi', { body: { model: 'glm-5' } })).status).toBe(429);
    expect((await postChat(stack.url, 'hi', { body: { model: 'glm-4.7-flash' } })).status).toBe(200);
    const again = await postChat(stack.url, 'hi', { body: { model: 'glm-5' } });
    expect([again.status, ((await again.json()) as ErrorBody).error.code]).toEqual([429, 'insufficient_quota']);
    expect(models(stack)).toEqual(['glm-5', 'glm-4.7-flash']);
  });

  it('of the account stops all of them', async () => {
    await using stack = await startStack({
      env: { ...platformOnly, ZAI_MODEL_FALLBACKS: 'glm-5=glm-4.7' },
      upstream: { platformModelFaults: { 'glm-5': '1304' } },
    });
    for (const model of ['glm-5', 'glm-4.7'])
      expect((await postChat(stack.url, 'hi', { body: { model } })).status).toBe(429);
    expect(models(stack)).toEqual(['glm-5']);
  });
});

describe('what the client sent wrong', () => {
  const stateOf = async ({ url }: Stack): Promise<string> =>
    ((await (await fetch(`${url}/v1/status`)).json()) as { state: string }).state;
  const image = (bytes: Buffer) => ({
    type: 'image_url',
    image_url: { url: `data:image/png;base64,${bytes.toString('base64')}` },
  });
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
    'base64',
  );

  it('is a picture that is too large: refused with its place before anybody is asked', async () => {
    await using stack = await startStack({ env: platformOnly });
    const large = Buffer.concat([png, Buffer.alloc(5 * 1024 * 1024)]);
    const content = [{ type: 'text', text: 'Look' }, image(png), image(large)];
    const response = await postChat(stack.url, '', {
      body: { model: 'glm-4.6v', messages: [{ role: 'user', content }] },
    });
    expect([response.status, ((await response.json()) as ErrorBody).error]).toEqual([
      400,
      expect.objectContaining({ code: 'invalid_image_url', param: 'messages[0].content[2]' }),
    ]);
    expect(calls(stack).platform).toBe(0);
  });

  it('is a value that the official API refuses: told as such, and no change of its contract', async () => {
    await using stack = await startStack({ env: platformOnly, upstream: { platformFault: '1214' } });
    const before = await stateOf(stack);
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    const response = await postChat(stack.url, 'hi', { body: { tools } });
    expect([response.status, ((await response.json()) as ErrorBody).error.code]).toEqual([400, 'refused_by_upstream']);
    expect(await stateOf(stack)).toBe(before);
    // Where all that went up is ours, it is one.
    expect((await postChat(stack.url, 'hi')).status).toBe(502);
    expect(await stateOf(stack)).toBe('drifted');
  });
});

describe('several keys', () => {
  it('take over from one that is limited for an unknown reason', async () => {
    await using stack = await startStack({
      env: { ...platformOnly, ZAI_PLATFORM_API_KEY: 'slow, quick' },
      upstream: { platformKeyFaults: { slow: '429' } },
    });
    for (let count = 0; count < 3; count += 1) expect((await postChat(stack.url, 'hi')).status).toBe(200);
    expect(calls(stack).platform).toBeLessThanOrEqual(4);
  });

  it('share the turns, and one without balance rests while the other answers', async () => {
    await using stack = await startStack({
      env: { ...platformOnly, ZAI_PLATFORM_API_KEY: 'poor, rich' },
      upstream: { platformKeyFaults: { poor: '1113' } },
    });
    for (let count = 0; count < 4; count += 1) expect((await postChat(stack.url, 'hi')).status).toBe(200);
    const keys = stack.upstream.log
      .filter(({ path }) => path.endsWith('/chat/completions'))
      .map(({ tokenUserId }) => tokenUserId);
    expect(keys.filter((key) => key === 'poor').length).toBeLessThanOrEqual(1);
    expect(keys.filter((key) => key === 'rich').length).toBe(4);
  });

  it('that are all spent are told at once, with the time until one may be back', async () => {
    await using stack = await startStack({ env: platformOnly, upstream: { platformFault: '1113' } });
    for (let count = 0; count < 2; count += 1) {
      const startedAtMs = performance.now();
      const response = await postChat(stack.url, 'hi');
      expect(((await response.json()) as ErrorBody).error).toMatchObject({
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      });
      expect([response.status, response.headers.get('x-should-retry')]).toEqual([429, 'false']);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(3_000);
      expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    }
    expect(calls(stack).platform).toBe(1);
  });
});
