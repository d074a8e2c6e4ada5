import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postChat, scenario, type ErrorBody } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { postTurn, turnForms } from '../support/turn-forms.ts';

const calls = ({ upstream }: Stack): { platform: number; web: number } => ({
  platform: upstream.log.filter(({ path }) => path === '/api/paas/v4/chat/completions').length,
  web: upstream.log.filter(({ path }) => path === '/api/v2/chat/completions').length,
});

const lateFailures = [
  'error-internal-after-content',
  'error-sensitive-after-content',
  'connection-reset',
  'eof-mid-frame',
  'stall-after-content',
];

describe.each(['platform,web', 'web,platform'])('once content has come, with ZAI_UPSTREAMS=%s', (order) => {
  const [first, second] = order.split(',') as ['platform', 'web'] | ['web', 'platform'];
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      env: (upstream) => ({
        ZAI_UPSTREAMS: order,
        ZAI_PLATFORM_API_KEY: 'key-a,key-b',
        ZAI_ANON_TOKEN_ENABLED: 'false',
        ZAI_UPSTREAM_TOKEN: [1, 2].map(() => upstream.addUserToken().token).join(','),
        ZAI_STREAM_TIMEOUT: '1',
        ZAI_NON_STREAM_TIMEOUT: '1',
      }),
    });
  });
  afterAll(() => stack.close());

  const names = turnForms('').map(({ name }, index) => [name, index] as const);
  it.each(names)('%s: nobody is asked again, whatever happens', async (_name, index) => {
    for (const failure of lateFailures) {
      const before = calls(stack);
      const response = await postTurn(stack.url, turnForms(scenario(failure))[index]!);
      await response.text();
      const after = calls(stack);
      expect([failure, after[first] - before[first], after[second] - before[second]]).toEqual([failure, 1, 0]);
    }
  });
});

describe('pictures', () => {
  const picture =
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==';
  const content = [
    { type: 'text', text: 'hi' },
    { type: 'image_url', image_url: { url: picture } },
  ];
  const look = (stack: Stack, model: string): Promise<Response> =>
    postChat(stack.url, '', { body: { model, messages: [{ role: 'user', content }] } });
  const both = { ZAI_PLATFORM_API_KEY: 'key-a', ZAI_ANON_TOKEN_ENABLED: 'false' };
  const start = (env: Record<string, string>): Promise<Stack> =>
    startStack({ env: (upstream) => ({ ...both, ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token, ...env }) });

  it('go to a model of the chain that can look at them, words alone do not', async () => {
    await using stack = await start({ ZAI_UPSTREAMS: 'platform', ZAI_MODEL_FALLBACKS: 'glm-4.7=glm-4.6v' });
    const answer = await look(stack, 'glm-4.7');
    expect([answer.status, await answer.json()]).toMatchObject([200, { model: 'glm-4.7' }]);
    expect(stack.upstream.log.at(-1)?.body).toMatchObject({ model: 'glm-4.6v' });
    await (await postChat(stack.url, 'hi', { body: { model: 'glm-4.7' } })).text();
    expect(stack.upstream.log.at(-1)?.body).toMatchObject({ model: 'glm-4.7' });
  });

  it('go to the upstream whose model can look at them, though another one is asked first', async () => {
    await using stack = await start({ ZAI_UPSTREAMS: 'platform,web', ZAI_MODEL_FALLBACKS: 'glm-4.7=glm-4.5v@web' });
    const answer = await look(stack, 'glm-4.7');
    await answer.text();
    expect([answer.status, answer.headers.get('x-gateway-upstream')]).toEqual([200, 'web']);
    expect(calls(stack)).toEqual({ platform: 0, web: 1 });
  });

  it('are refused with the model named where nobody can', async () => {
    await using stack = await start({ ZAI_UPSTREAMS: 'platform,web' });
    const answer = await look(stack, 'glm-4.7');
    const { error } = (await answer.json()) as ErrorBody;
    expect(answer.status).toBe(400);
    expect(error.message).toContain('glm-4.7');
    expect(calls(stack)).toEqual({ platform: 0, web: 0 });
  });
});
