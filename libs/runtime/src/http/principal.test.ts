import { describe, expect, it } from '@jest/globals';
import Koa from 'koa';
import type { RequestState } from './assign-request-id.ts';
import { listen } from './listen.ts';
import { KEY_NAME_HEADER, PRINCIPAL_HEADER, principalOfKey, trustPrincipal } from './principal.ts';

describe('a principal', () => {
  it('is the same for the same key, and another one for another', () => {
    expect(principalOfKey('a')).toBe(principalOfKey('a'));
    expect(principalOfKey('a')).not.toBe(principalOfKey('b'));
    expect(principalOfKey('open-sesame')).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    [principalOfKey('a'), principalOfKey('a')],
    ['', ''],
    ['admin', ''],
    [`${principalOfKey('a')}, ${principalOfKey('b')}`, ''],
  ])('is taken over when it is one: %p', async (sent, taken) => {
    expect(await trusted({ [PRINCIPAL_HEADER]: sent })).toEqual(taken === '' ? {} : { principal: taken });
  });

  it.each(['', 'Team-A', 'team a', 'a'.repeat(33), '-a'])('the name of a key is not %p', async (sent) => {
    expect(await trusted({ [KEY_NAME_HEADER]: sent })).not.toHaveProperty('keyName');
    expect(await trusted({ [KEY_NAME_HEADER]: 'team-a.1' })).toHaveProperty('keyName', 'team-a.1');
  });
});

/** The state of a request with these headers. */
async function trusted(headers: Record<string, string>): Promise<unknown> {
  const app = new Koa<RequestState>();
  app.use(trustPrincipal());
  app.use((ctx) => {
    ctx.body = ctx.state;
  });
  const handler = app.callback();
  const server = await listen((request, response) => void handler(request, response), { host: '127.0.0.1', port: 0 });
  try {
    return await (await fetch(`http://127.0.0.1:${server.port}/`, { headers })).json();
  } finally {
    await server.stop(AbortSignal.abort());
  }
}
