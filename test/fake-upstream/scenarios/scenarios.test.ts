import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenarios, startFakeUpstream } from '../index.ts';
import { readFrames, replayDocument } from '../read-answer.ts';
import { createWebPageClient } from '../web-page-client.ts';
import { findScenarioMarker, withoutMarkers } from './scenario-call.ts';
import { streamErrorNames } from './stream-errors.ts';
import type { FakeUpstream } from '../index.ts';
import type { CompletionChange, WebPageClient } from '../web-page-client.ts';

let upstream: FakeUpstream;
let client: WebPageClient;
beforeAll(async () => {
  upstream = await startFakeUpstream({ settings: { perTokenConcurrency: 9 } });
  client = await createWebPageClient(upstream.url);
});
afterAll(() => upstream.close());

const ask = (scenario: string, change: CompletionChange = {}): Promise<Response> =>
  client.complete({ prompt: `hi [[scenario:${scenario}]]`, ...change });
const answerOf = async (scenario: string): Promise<string> => (await ask(scenario)).text();
const documentOf = async (scenario: string): Promise<string> => replayDocument(readFrames(await answerOf(scenario)));
const names = Object.keys(scenarios);
const usual = 'Hello from GLM. You said: hi';
const thoughts = '> First idea.\n> Second idea.\n</details>\n';

describe('every scenario', () => {
  /** Those that cannot be read to their end as they are, and how to call them so that they can. */
  const endless: Readonly<Record<string, string>> = {
    'stall-before-content': 'stall-before-content for=1',
    'stall-after-content': 'stall-after-content for=1',
    slow: 'slow frames=3 delay=1',
  };
  const unreadable = ['bad-json-frame', 'eof-mid-frame'];
  const readable = names.filter((name) => !unreadable.includes(name) && name !== 'connection-reset');

  it.each(readable)('%s is well formed', async (name) => {
    const response = await ask(endless[name] ?? name);
    const text = await response.text();
    expect(upstream.log.at(-1)).toMatchObject({ scenario: name, faults: [], status: response.status });
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('text/event-stream')) {
      if (type.startsWith('application/json')) JSON.parse(text);
      return;
    }
    expect(response.status).toBe(200);
    const blocks = text.replaceAll('\r\n', '\n').split('\n\n');
    expect(blocks.pop()).toBe('');
    for (const line of blocks.flatMap((block) => block.split('\n'))) {
      expect(line).toMatch(/^(: |event: |id: |retry: |data:)/);
      if (/^data: ?\{/.test(line)) JSON.parse(line.slice('data:'.length));
    }
  });

  it('is in the README, and nothing else is', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const rows = [...readme.matchAll(/^\| `([a-z0-9-]+)` +\| (.*?) *\|$/gm)].map(([, name, text]) => [
      name,
      text?.replaceAll('\\|', '|'),
    ]);
    const byHand = names.filter((name) => !/^(error-.*-after-content|http-.*)$/.test(name));
    expect(rows.filter(([name]) => name! in scenarios)).toEqual(
      byHand.map((name) => [name, scenarios[name]!.description]),
    );
  });

  it('is refused with the list when there is none of that name', async () => {
    const response = await ask('no-such-thing');
    expect([response.status, await response.json()]).toMatchObject([400, { scenarios: names }]);
  });
});

describe('the answers', () => {
  it.each([
    'plain',
    'usage-missing',
    'done-missing',
    'done-wrapped',
    'frames-after-done',
    'answer-resent',
    'keep-alive-events',
    'no-space',
  ])('%s says the usual thing', async (name) => {
    const text = (await answerOf(name))
      .replaceAll(/^data:(?=\S)/gm, 'data: ')
      .replaceAll('"data":"[DONE]"', '"data":{}');
    const frames = readFrames(text).filter(({ type }) => type === 'chat:completion');
    expect(replayDocument(frames)).toBe(usual);
  });

  it('plain ends as captured: usage, stop, two done frames, the marker', async () => {
    const text = await answerOf('plain');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    const ending = readFrames(text).slice(-4);
    const usage = { prompt_tokens: 1, completion_tokens: 7, total_tokens: 8 };
    expect(ending.map(({ data }) => data)).toMatchObject([
      { usage, phase: 'other' },
      { usage, choices: [{ finish_reason: 'stop' }] },
      { done: true, phase: 'done' },
      { done: true, usage, edit_index: usual.length, edit_content: '' },
    ]);
  });

  it('plain thinks when asked to', async () => {
    const text = await (await ask('plain', { body: { features: { enable_thinking: true } } })).text();
    expect(text).toBe(await answerOf('thinking-then-edit'));
  });

  it.each([
    ['thinking-then-edit', `${thoughts}${usual}`],
    ['thinking-without-edit', `${thoughts}${usual}`],
    ['marker-split', `> First idea.\n> Second idea.\n> Third idea.\n</details>\n${usual}`],
    ['two-thinking-rounds', `> Third idea.\n</details>\n${usual}`],
    ['thinking-only', thoughts],
  ])('%s builds a whole document', async (name, end) => {
    const document = await documentOf(name);
    expect(document.startsWith('<details type="reasoning" done="')).toBe(true);
    expect(document.endsWith(end)).toBe(true);
    expect(document.match(/<details/g)).toHaveLength(document.match(/<\/details>/g)?.length ?? -1);
  });

  it('json-encoded-edit encodes its edit once more', async () => {
    const edit = readFrames(await answerOf('json-encoded-edit'))[1]?.data;
    expect(edit?.edit_index).toBe(32);
    expect(JSON.parse(edit?.edit_content ?? '')).toMatch(/^true" duration="2"[^]*You said: hi$/);
  });

  it('answer-edit takes words back', async () => {
    expect(await documentOf('answer-edit')).toBe('The capital of France is Paris. It lies on the Seine.');
  });

  it('counts edits in the unit that it is told', async () => {
    const lastIndex = async (): Promise<number | undefined> =>
      readFrames(await answerOf('utf8-split')).at(-1)?.data.edit_index;
    const text = '你好, Z.ai 🚀 and back.';
    expect(await lastIndex()).toBe(Array.from(text).length);
    upstream.configure({ editIndexUnit: 'utf16' });
    expect(await lastIndex()).toBe(text.length);
    upstream.configure({ editIndexUnit: 'code-points' });
  });

  it('large-frame is one frame of 2 MB', async () => {
    expect(readFrames(await answerOf('large-frame'))[0]?.data.edit_content).toHaveLength(2 * 1024 * 1024);
  });

  it('bench counts its tokens', async () => {
    const frames = readFrames(await answerOf('bench tokens=1000 size=7'));
    expect(frames.filter(({ data }) => data.phase === 'answer')).toHaveLength(1000);
    expect(frames[0]?.data.delta_content).toHaveLength(7);
    expect(frames.at(-2)?.data.usage).toMatchObject({ completion_tokens: 1000 });
  });

  it('slow says as many words as it is told', async () => {
    expect(await documentOf('slow frames=3 delay=1')).toBe('word1 word2 word3 ');
  });

  it('may have another text', async () => {
    upstream.configure({ answerText: '你好 🚀', answerFrames: 2 });
    expect(await documentOf('plain')).toBe('你好 🚀');
    upstream.configure({ answerText: null, answerFrames: 6 });
  });
});

describe('the broken ones', () => {
  async function chunksOf(name: string): Promise<Uint8Array[]> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await ask(name)).body!) chunks.push(chunk);
    return chunks;
  }

  it('utf8-split cuts inside characters', async () => {
    const [first] = await chunksOf('utf8-split');
    expect(Buffer.from(first!).toString('utf8').endsWith('\ufffd')).toBe(true);
  });

  it('byte-by-byte arrives in bytes and is the plain answer', async () => {
    const chunks = await chunksOf('byte-by-byte');
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(20);
    expect(replayDocument(readFrames(Buffer.concat(chunks).toString('utf8')))).toBe(usual);
  });

  it('eof-mid-frame ends cleanly inside a frame', async () => {
    expect((await answerOf('eof-mid-frame')).endsWith('\n\n')).toBe(false);
  });

  it('bad-json-frame has two frames that nobody can read', async () => {
    expect((await answerOf('bad-json-frame')).split('\n\n').slice(1, 3)).toEqual([
      'data: {"type":"chat:completion","data":{"delta_content":"lost',
      'data: not json at all',
    ]);
  });

  it('connection-reset delivers its two frames and breaks', async () => {
    const received: Uint8Array[] = [];
    const reading = async (): Promise<void> => {
      for await (const chunk of (await ask('connection-reset')).body!) received.push(chunk);
    };
    await expect(reading()).rejects.toThrow();
    expect(readFrames(Buffer.concat(received).toString('utf8'))).toHaveLength(2);
  });
});

describe('the errors', () => {
  it.each(streamErrorNames)('%s comes before and after content', async (name) => {
    const [only, ...none] = readFrames(await answerOf(`error-${name}`));
    expect([only?.data.done, none]).toEqual([true, []]);
    const later = readFrames(await answerOf(`error-${name}-after-content`));
    expect(later.map(({ data }) => data.error)).toEqual([undefined, undefined, only?.data.error]);
    expect(later.at(-1)?.data.done).toBe(name === 'internal' ? undefined : true);
  });

  it('on the done frame spares the answer', async () => {
    const frames = readFrames(await answerOf('error-on-done'));
    expect(replayDocument(frames)).toBe(usual);
    expect(frames.find(({ data }) => data.phase === 'done')?.data.error).toMatchObject({ code: 'INTERNAL_ERROR' });
  });

  it('may be chosen in the unusual places', async () => {
    expect(JSON.parse(await answerOf('json-without-data error=level'))).toMatchObject({ code: 403 });
    expect(await answerOf('error-event')).toMatch(/^event: error\ndata: \{"code":"INTERNAL_ERROR"/);
  });

  it('html-405 is the edge block', async () => {
    const response = await ask('html-405');
    expect([response.status, (await response.text()).slice(0, 13)]).toEqual([405, '<!doctypehtml']);
  });
});

describe('a marker', () => {
  it('may have parameters, may stand anywhere, and the last one counts', () => {
    const prompt = 'a [[scenario:plain]] b [[scenario:slow frames=2 delay=3 loud]] c';
    const call = findScenarioMarker(prompt);
    expect([call?.name, [...(call?.parameters ?? [])]]).toEqual([
      'slow',
      [
        ['frames', '2'],
        ['delay', '3'],
        ['loud', 'true'],
      ],
    ]);
    expect(withoutMarkers(prompt)).toBe('a  b  c');
    expect(findScenarioMarker('none [scenario:plain]')).toBeUndefined();
  });
});
