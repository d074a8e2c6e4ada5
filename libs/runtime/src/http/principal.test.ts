import { describe, expect, it } from '@jest/globals';
import Koa from 'koa';
import type { RequestState } from './assign-request-id.ts';
import { listen } from './listen.ts';
import { PRINCIPAL_HEADER, principalOfKey, trustPrincipal } from './principal.ts';

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
    const app = new Koa<RequestState>();
    app.use(trustPrincipal());
    app.use((ctx) => {
      ctx.body = ctx.state.principal ?? '';
    });
    const handler = app.callback();
    const server = await listen((request, response) => void handler(request, response), { host: '127.0.0.1', port: 0 });
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { headers: { [PRINCIPAL_HEADER]: sent } });
    expect(await response.text()).toBe(taken);
    await server.stop(AbortSignal.abort());
  });
});
