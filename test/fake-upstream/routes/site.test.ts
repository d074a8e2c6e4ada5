import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeUpstream } from '../index.ts';
import { createWebPageClient } from '../web-page-client.ts';
import type { FakeUpstream } from '../index.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

interface IdentityAnswer {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly token: string;
}

async function whoAmI(headers: Record<string, string> = {}): Promise<IdentityAnswer> {
  return (await (await fetch(`${upstream.url}/api/v1/auths/`, { headers })).json()) as IdentityAnswer;
}

describe('GET /api/v1/auths/', () => {
  it('gives a new guest each time, with a three-part token and a cookie', async () => {
    const response = await fetch(`${upstream.url}/api/v1/auths/`);
    const guest = (await response.json()) as IdentityAnswer;
    expect(guest.email).toMatch(/^guest-\d+@guest\.com$/i);
    expect(guest.role).toBe('guest');
    const [header = '', claims = '', signature = ''] = guest.token.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'ES256', typ: 'JWT' });
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({ id: guest.id, email: guest.email });
    expect(Buffer.from(signature, 'base64url')).toHaveLength(64);
    expect(response.headers.get('set-cookie')).toContain(`token=${guest.token}`);
    const second = await whoAmI();
    expect([second.id === guest.id, second.email === guest.email]).toEqual([false, false]);
  });

  it('gives the same guest to a cookie or a Bearer token', async () => {
    const guest = await whoAmI();
    expect(await whoAmI({ cookie: `a=b; token=${guest.token}` })).toEqual(guest);
    expect(await whoAmI({ authorization: `Bearer ${guest.token}` })).toEqual(guest);
  });

  it('knows users, rotates when told, and downgrades a dead token silently or with 401', async () => {
    const { token, userId } = upstream.addUserToken({ email: 'a@example.org', name: 'A' });
    const authorization = `Bearer ${token}`;
    expect(await whoAmI({ authorization })).toMatchObject({ id: userId, email: 'a@example.org', role: 'user', token });
    upstream.configure({ rotateUserTokens: true });
    const rotated = await whoAmI({ authorization });
    expect([rotated.id, rotated.token === token]).toEqual([userId, false]);
    upstream.revokeToken(token);
    expect(await whoAmI({ authorization })).toMatchObject({ role: 'guest' });
    upstream.configure({ deadTokenAnswer: '401' });
    expect((await fetch(`${upstream.url}/api/v1/auths/`, { headers: { authorization } })).status).toBe(401);
    expect(upstream.issuedTokens().filter((issued) => issued.userId === userId)).toHaveLength(2);
  });

  it('has tokens that die of age when told', async () => {
    upstream.configure({ guestLifetimeSeconds: 60 });
    const { token, id } = await whoAmI();
    const authorization = `Bearer ${token}`;
    expect((await whoAmI({ authorization })).id).toBe(id);
    upstream.configure({ clockOffsetMs: 61_000 });
    expect((await whoAmI({ authorization })).id).not.toBe(id);
  });

  it('fails as often as told', async () => {
    upstream.configure({ authFault: '429', authFailTimes: 1 });
    expect((await fetch(`${upstream.url}/api/v1/auths/`)).status).toBe(429);
    expect((await fetch(`${upstream.url}/api/v1/auths/`)).status).toBe(200);
    upstream.configure({ authFault: 'waf', authFailTimes: null });
    const blocked = await fetch(`${upstream.url}/api/v1/auths/`);
    expect([blocked.status, blocked.headers.get('content-type')]).toEqual([405, 'text/html; charset=utf-8']);
    expect(await blocked.text()).toContain('errors.aliyun.com');
    upstream.configure({ authFault: 'reset' });
    await expect(fetch(`${upstream.url}/api/v1/auths/`)).rejects.toThrow();
    upstream.configure({ authFault: 'hang' });
    await expect(fetch(`${upstream.url}/api/v1/auths/`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    const left = await upstream.waitForAbort(({ path }) => path === '/api/v1/auths/', 2000);
    expect(left.scenario).toBe('fault-hang');
  });

  it('serves guests at the alternative sign-in path', async () => {
    const answer = await fetch(`${upstream.url}/api/v1/auths/guest`, { method: 'POST', body: '{}' });
    const { token } = (await answer.json()) as { token: string };
    expect(upstream.issuedTokens()).toMatchObject([{ token, role: 'guest' }]);
  });
});

describe('the other pages', () => {
  it('name the frontend version and the time of the simulator', async () => {
    upstream.configure({ frontendVersion: 'prod-fe-2.0.1', clockOffsetMs: 3_600_000 });
    const response = await fetch(upstream.url);
    expect(/prod-fe-\d+\.\d+\.\d+/.exec(await response.text())?.[0]).toBe('prod-fe-2.0.1');
    const ahead = Date.parse(response.headers.get('date') ?? '') - Date.now();
    expect(Math.abs(ahead - 3_600_000)).toBeLessThan(5000);
    upstream.configure({ indexFault: '503' });
    expect((await fetch(upstream.url)).status).toBe(503);
  });

  it('tell the completion version', async () => {
    const response = await fetch(`${upstream.url}/api/config`);
    expect(await response.json()).toEqual({ completion_version: 2, features: { enable_captcha: false } });
  });

  it('list models to anybody with a token', async () => {
    const client = await createWebPageClient(upstream.url);
    expect((await client.get('/api/models')).status).toBe(401);
    const list = (await (await client.call('GET', '/api/models')).json()) as { data: { id: string; info: unknown }[] };
    expect(list.data.find((model) => model.id === 'glm-4.7')).toMatchObject({
      name: 'GLM-4.7',
      owned_by: 'openai',
      info: { is_active: true, meta: { hidden: false, capabilities: { think: true, vision: false } } },
    });
    expect(list.data.find((model) => model.id === 'deep-research')).toMatchObject({ info: { is_active: false } });
    upstream.configure({ models: [{ id: 'only', hidden: true }] });
    const changed = (await (await client.call('GET', '/api/models')).json()) as { data: unknown[] };
    expect(changed.data).toMatchObject([{ id: 'only', name: 'only', info: { meta: { hidden: true } } }]);
    upstream.configure({ modelsFault: 'not-json' });
    expect(await (await client.call('GET', '/api/models')).text()).toContain('<html>');
  });

  it('are 404 on the old path and 405 JSON on a wrong method', async () => {
    const old = await fetch(`${upstream.url}/api/chat/completions`, { method: 'POST', body: '{}' });
    expect([old.status, await old.json()]).toEqual([404, { detail: 'Not Found' }]);
    const wrong = await fetch(`${upstream.url}/api/v2/chat/completions`);
    expect([wrong.status, await wrong.json()]).toEqual([405, { detail: 'Method Not Allowed' }]);
  });
});

describe('chats and files', () => {
  it('are kept per identity and deleted one by one or all at once', async () => {
    const client = await createWebPageClient(upstream.url);
    const other = await createWebPageClient(upstream.url);
    const [first, second] = [await client.createChat(), await client.createChat()];
    const foreign = await other.createChat();
    expect(upstream.chats()).toContainEqual({ id: first, userId: client.userId });
    const listed = (await (await client.call('GET', '/api/v1/chats/?page=1&type=default')).json()) as { id: string }[];
    expect(listed.map((chat) => chat.id)).toEqual([second, first]);
    expect(await (await client.call('GET', '/api/v1/chats/?page=2&type=default')).json()).toEqual([]);
    expect(await (await client.call('GET', `/api/v1/chats/${first}`)).json()).toMatchObject({
      id: first,
      chat: { models: ['glm-4.7'] },
    });
    expect((await client.call('GET', `/api/v1/chats/${foreign}`)).status).toBe(404);
    expect((await client.call('DELETE', `/api/v1/chats/${foreign}`)).status).toBe(404);
    expect(await (await client.call('DELETE', `/api/v1/chats/${first}`)).json()).toBe(true);
    expect((await client.call('DELETE', '/api/v1/chats/')).status).toBe(200);
    expect(upstream.chats()).toEqual([{ id: foreign, userId: other.userId }]);
  });

  it('need a token and a whole body, may nest the id, and fail when told', async () => {
    const client = await createWebPageClient(upstream.url);
    expect((await fetch(`${upstream.url}/api/v1/chats/new`, { method: 'POST', body: '{}' })).status).toBe(401);
    expect((await client.call('POST', '/api/v1/chats/new', { chat: {} })).status).toBe(422);
    upstream.configure({ nestChatId: true });
    const chat = { models: [], history: { messages: {} } };
    const nested = (await (await client.call('POST', '/api/v1/chats/new', { chat })).json()) as {
      id?: string;
      chat: { id: string };
    };
    expect([nested.id, nested.chat.id]).toEqual([undefined, upstream.chats()[0]?.id]);
    upstream.configure({ chatsFault: '500', chatDeleteFault: '502' });
    expect((await client.call('POST', '/api/v1/chats/new', { chat })).status).toBe(500);
    expect((await client.call('DELETE', '/api/v1/chats/')).status).toBe(502);
  });

  it('take a file from a user, not from a guest', async () => {
    const upload = (token: string): Promise<Response> => {
      const body = new FormData();
      body.append('file', new Blob(['12345'], { type: 'image/png' }), 'cat.png');
      return fetch(`${upstream.url}/api/v1/files/`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body,
      });
    };
    const user = upstream.addUserToken();
    const stored = await upload(user.token);
    expect([stored.status, await stored.json()]).toMatchObject([
      200,
      { user_id: user.userId, filename: 'cat.png', meta: { content_type: 'image/png', size: 5 } },
    ]);
    expect(upstream.log.at(-1)?.body).toEqual({ filename: 'cat.png', contentType: 'image/png', size: 5 });
    expect(upstream.files()).toMatchObject([{ userId: user.userId, filename: 'cat.png', size: 5 }]);
    const guest = await createWebPageClient(upstream.url);
    expect((await upload(guest.token)).status).toBe(403);
    expect(
      (await createWebPageClient(upstream.url, user).then((client) => client.call('POST', '/api/v1/files/', {})))
        .status,
    ).toBe(422);
  });
});
