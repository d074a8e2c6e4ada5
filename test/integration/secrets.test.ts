import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postChat, scenario, type ChatOptions } from '../support/chat-client.ts';
import { turnBodies } from '../support/dialect-bodies.ts';
import { isEnding, openResponsesSocket } from '../support/responses-socket.ts';
import { startStack, type Stack } from '../support/start-stack.ts';

const key = 'sk-verysecretkey-0001';
const wrongKey = 'sk-wrongsecretkey-0002';
const promptMark = 'promptmark7361';
const answerMark = 'answermark9257';
const cookie = 'session=cookiesecret4471';
const answered = `Here is ${answerMark} for you`;

describe('H23: after a mixed run', () => {
  let stack: Stack;
  const errorBodies: string[] = [];

  async function turn(name: string, options: ChatOptions = {}): Promise<void> {
    const headers = { authorization: `Bearer ${key}`, cookie, ...options.headers };
    for (const stream of [true, false]) {
      const response = await postChat(stack.url, scenario(name, `tell me ${promptMark}`), {
        headers,
        body: { stream, ...options.body },
      });
      const text = await response.text();
      if (response.status !== 200) errorBodies.push(text);
      errorBodies.push(...text.split('\n\n').filter((block) => block.startsWith('data: {"error"')));
    }
  }

  /** The same in every API. */
  async function post(path: string, body: unknown): Promise<void> {
    const response = await fetch(stack.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, cookie, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status !== 200) errorBodies.push(text);
  }

  async function overWebSocket(input: string): Promise<void> {
    using client = await openResponsesSocket(stack.url, { authorization: `Bearer ${key}`, cookie });
    client.send({ type: 'response.create', model: 'glm-4.7', input, store: false });
    for (let event = await client.next(); ; event = await client.next()) {
      if (event.type === 'error') errorBodies.push(JSON.stringify(event));
      if (isEnding(event)) return;
    }
  }

  beforeAll(async () => {
    stack = await startStack({
      env: (upstream) => ({
        ZAI_API_KEY: key,
        ZAI_UPSTREAM_TOKEN: upstream.addUserToken().token,
        ZAI_CREDENTIAL_WAIT: '0.2',
        ZAI_STREAM_TIMEOUT: '0.5',
        ZAI_NON_STREAM_TIMEOUT: '0.5',
      }),
      upstream: { answerText: answered, thinkingText: `I think of ${answerMark}` },
    });
    const { upstream } = stack;
    const successes = ['plain', 'thinking-then-edit', 'bad-json-frame', 'large-frame size=1000'];
    const failures = ['error-internal', 'error-level', 'error-sensitive', 'stall-after-content', 'connection-reset'];
    for (const name of [...successes, ...failures, 'error-internal-after-content', 'html-405', 'http-500'])
      await turn(name);
    for (const name of ['plain', 'error-level', 'error-internal-after-content']) {
      const prompt = scenario(name, `tell me ${promptMark}`);
      for (const { path, body } of turnBodies(prompt)) await post(path, body);
      await overWebSocket(prompt);
    }
    for (const { path } of turnBodies('')) await post(path, { model: promptMark, [key]: promptMark });
    await turn('plain', { headers: { authorization: `Bearer ${wrongKey}`, 'x-api-key': wrongKey } });
    await turn('plain', { body: { temperature: 'hot', model: promptMark } });
    await turn('plain', { body: { messages: `${promptMark} ${key}` } });
    await turn('plain', { body: { messages: [{ role: promptMark, content: key }] } });
    const broken = await fetch(`${stack.url}/v1/chat/completions?key=${key}&token=${wrongKey}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: `{"messages": [{"content": "${promptMark} ${key}`,
    });
    errorBodies.push(await broken.text());
    for (const { token } of upstream.issuedTokens().filter(({ role }) => role === 'user')) upstream.revokeToken(token);
    await turn('plain');
    upstream.configure({ completionFault: 'reset' });
    await turn('plain');
    upstream.configure({ completionFault: 'error-challenge', chatsFault: '422', chatDeleteFault: '500' });
    await turn('plain');
    upstream.configure({ completionFault: null, authFault: 'waf', indexFault: '500', modelsFault: 'reset' });
    await turn('plain');
  });
  afterAll(() => stack.close());

  function secrets(): [string, string][] {
    const { upstream } = stack;
    const completions = upstream.log.filter(({ path }) => path.endsWith('/completions'));
    return [
      ['API key', key],
      ['wrong API key', wrongKey],
      ['cookie', 'cookiesecret4471'],
      ['prompt', promptMark],
      ['answer', answerMark],
      ['signing secret', 'key-@@@@'],
      ...upstream.issuedTokens().flatMap(({ token }): [string, string][] => [
        ['token', token],
        ['part of a token', token.slice(-40)],
      ]),
      ...completions.flatMap(({ headers, query }): [string, string][] => [
        ['signature', headers['x-signature']!],
        ['signed query', `requestId=${query['requestId']}`],
        ['signed query', 'signature_timestamp'],
      ]),
    ];
  }
  const found = (text: string, ignored: readonly string[] = []): string[] => [
    ...new Set(secrets().flatMap(([kind, value]) => (text.includes(value) && !ignored.includes(kind) ? [kind] : []))),
  ];

  it('there was something to hide', () => {
    expect(stack.upstream.issuedTokens().length).toBeGreaterThanOrEqual(4);
    expect(stack.upstream.log.filter(({ path }) => path.endsWith('/completions')).length).toBeGreaterThan(20);
    expect(errorBodies.length).toBeGreaterThan(20);
    expect(stack.logLines().length).toBeGreaterThan(40);
    expect(found(`x ${key} y`)).toEqual(['API key']);
  });

  it('no log line holds a secret, a prompt or an answer, at any level', () => {
    expect(stack.logLines().filter((line) => found(JSON.stringify(line)).length > 0)).toEqual([]);
    expect(stack.logText()).not.toMatch(/[?&](token|user_id|requestId)=/);
  });

  it('no metric holds one', async () => {
    expect(found(await (await fetch(`${stack.adminUrl}/metrics`)).text())).toEqual([]);
    expect(found(await (await fetch(`${stack.adminUrl}/readyz`)).text())).toEqual([]);
  });

  it('no error body holds one', () => {
    // A client may be told the wrong value that it sent itself, as here the name of the model and of the role.
    expect(errorBodies.filter((text) => found(text, ['prompt']).length > 0)).toEqual([]);
    expect(errorBodies.filter((text) => /<|aliyun|127\.0\.0\.1/.test(text))).toEqual([]);
  });
});
