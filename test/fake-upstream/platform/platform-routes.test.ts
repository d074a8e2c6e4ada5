import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeUpstream, type FakeUpstream } from '../index.ts';
import { platformCodes } from './platform-faults.ts';
import { platformScenarios } from './platform-scenarios.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterAll(() => upstream.close());
beforeEach(() => upstream.reset());

const user = (content: unknown): unknown => ({ role: 'user', content });
const plain = { model: 'glm-4.7', messages: [user('hi')], stream: true };

function post(path: string, body: unknown, key: string | null = 'a-key'): Promise<Response> {
  return fetch(`${upstream.url}/api/paas/v4${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
}

async function codeOf(response: Response): Promise<string | undefined> {
  const text = await response.text();
  return text.startsWith('{') ? (JSON.parse(text) as { error: { code: string } }).error.code : undefined;
}

describe('a completion', () => {
  it('is streamed, with counts on its last chunk and thinking unless it is off', async () => {
    const thinks = await (await post('/chat/completions', plain)).text();
    expect(thinks).toContain('"reasoning_content":"');
    expect(thinks).toMatch(/"finish_reason":"stop".*"prompt_tokens":1,.*\n\ndata: \[DONE\]\n\n$/);
    const silent = await (await post('/chat/completions', { ...plain, thinking: { type: 'disabled' } })).text();
    expect(silent).not.toContain('reasoning_content');
    expect(upstream.log.at(-1)).toMatchObject({ tokenUserId: 'a-key', scenario: 'plain', faults: [] });
  });

  const png = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
  const file = { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } };
  const video = (type = 'video/mp4') => ({ type: 'video_url', video_url: { url: `data:${type};base64,AAAA` } });
  const pngOf = (bytes: number) => ({
    type: 'image_url',
    image_url: { url: `data:image/png;base64,${Buffer.alloc(bytes).toString('base64')}` },
  });
  const largest = 5 * 1024 * 1024;
  it.each<[string, string, Record<string, unknown>]>([
    ['an unknown model', '1211', { model: 'gpt-4o' }],
    ['no model', '1213', { model: undefined }],
    ['no user', '1214', { messages: [{ role: 'system', content: 'x' }] }],
    ['parts for a text model', '1214', { messages: [user([png])] }],
    [
      'a tool message for a vision model',
      '1214',
      { model: 'glm-4.6v', messages: [user('x'), { role: 'tool', tool_call_id: 'c', content: 'x' }] },
    ],
    ['files beside pictures', '1214', { model: 'glm-4.6v', messages: [user([png, file])] }],
    ['a large picture', '1214', { model: 'glm-4.6v', messages: [user([pngOf(largest + 1)])] }],
    ['many pictures', '1214', { model: 'glm-4.5v', messages: [user(Array(51).fill(png))] }],
    ['many films', '1214', { model: 'glm-4.6v', messages: [user([video()]), user([video(), video()])] }],
    ['two films for 4.5V', '1214', { model: 'glm-4.5v', messages: [user([video(), video()])] }],
    ['a film in another form', '1214', { model: 'glm-4.6v', messages: [user([video('video/webm')])] }],
    ['a temperature above 1', '1214', { temperature: 1.2 }],
    ['a top_p of 0', '1214', { top_p: 0 }],
    ['a tool choice', '1214', { tool_choice: 'required' }],
    ['a JSON schema', '1214', { response_format: { type: 'json_schema' } }],
    ['a field that the schema does not have', '1214', { seed: 1 }],
    ['thinking off where it cannot be', '1214', { model: 'glm-5.3', thinking: { type: 'disabled' } }],
    ['an effort where there is none', '1214', { reasoning_effort: 'high' }],
    ['an effort that 5.3 does not have', '1214', { model: 'glm-5.3', reasoning_effort: 'xhigh' }],
    ['tool_stream where there is none', '1214', { model: 'glm-4.5', tool_stream: true }],
    [
      'a search for a vision model',
      '1214',
      { model: 'glm-4.6v', tools: [{ type: 'web_search', web_search: { enable: true } }] },
    ],
    ['a short request id', '1214', { request_id: 'x' }],
  ])('with %s is refused with %s', async (_what, code, fields) => {
    const response = await post('/chat/completions', { ...plain, ...fields });
    expect([response.status, await codeOf(response)]).toEqual([400, code]);
  });

  it('takes as many files as there may be', async () => {
    const content = [pngOf(largest), ...Array<unknown>(49).fill(png), video('video/quicktime')];
    const response = await post('/chat/completions', { ...plain, model: 'glm-4.5v', messages: [user(content)] });
    expect(response.status).toBe(200);
  });

  it('needs a key, a good one, and not too many at once on it', async () => {
    upstream.configure({ platformKeys: ['good'], platformKeyConcurrency: 1, scenario: 'stall-after-content' });
    expect(await codeOf(await post('/chat/completions', plain, null))).toBe('1001');
    expect(await codeOf(await post('/chat/completions', plain, 'bad'))).toBe('1002');
    const running = await post('/chat/completions', plain, 'good');
    expect(await codeOf(await post('/chat/completions', plain, 'good'))).toBe('1302');
    expect(upstream.highestConcurrency('good')).toBe(2);
    await running.body?.cancel();
  });

  it('has a request id that was never used', async () => {
    const body = { ...plain, request_id: 'request-1' };
    expect((await post('/chat/completions', body)).status).toBe(200);
    expect(await codeOf(await post('/chat/completions', body))).toBe('1231');
  });

  it.each(platformCodes)('fails as configured: %s', async (code) => {
    upstream.configure({ platformFault: code, platformFailTimes: 1 });
    expect(await codeOf(await post('/chat/completions', plain))).toBe(code);
    expect((await post('/chat/completions', plain)).status).toBe(200);
  });

  it('fails for a single key', async () => {
    upstream.configure({ platformKeyFaults: { poor: '1113' } });
    expect(await codeOf(await post('/chat/completions', plain, 'poor'))).toBe('1113');
    expect((await post('/chat/completions', plain, 'rich')).status).toBe(200);
  });

  const ending = Object.keys(platformScenarios).filter((name) => !/stall|reset|bench|slow/.test(name));
  it.each(ending)('plays %s', async (name) => {
    const response = await post('/chat/completions', { ...plain, messages: [user(`hi [[scenario:${name}]]`)] });
    expect(response.status).toBe(200);
    expect((await response.text()).length).toBeGreaterThan(20);
  });
});

describe('the other routes', () => {
  it('list the text models', async () => {
    const response = await fetch(`${upstream.url}/api/paas/v4/models`, { headers: { authorization: 'Bearer k' } });
    const { data } = (await response.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toContain('glm-5.3');
    expect(data.map(({ id }) => id)).not.toContain('glm-4.6v');
    expect((await fetch(`${upstream.url}/api/paas/v4/models`)).status).toBe(401);
  });

  it('give vectors and pictures', async () => {
    const vectors = await post('/embeddings', { model: 'embedding-3', input: ['a', 'b'], dimensions: 256 });
    const { data } = (await vectors.json()) as { data: { embedding: number[] }[] };
    expect(data.map(({ embedding }) => embedding.length)).toEqual([256, 256]);
    expect(
      await codeOf(await post('/embeddings', { model: 'embedding-3', input: 'a', encoding_format: 'base64' })),
    ).toBe('1214');
    const pictures = await post('/images/generations', { model: 'glm-image', prompt: 'a cat', size: '1280x1280' });
    const [picture] = ((await pictures.json()) as { data: { url: string }[] }).data;
    const image = await fetch(picture?.url ?? '');
    expect(image.headers.get('content-type')).toBe('image/png');
    expect(
      Buffer.from(await image.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });
});
