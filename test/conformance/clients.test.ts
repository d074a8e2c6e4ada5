import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { scenario } from '../support/chat-client.ts';
import { startStack, type Stack } from '../support/start-stack.ts';
import { waitFor } from '../support/wait-for.ts';
import { aiSdkAnthropic, aiSdkCompatible, aiSdkOpenAi, aiSdkOpenAiChat } from './clients/ai-sdk.ts';
import { anthropicClient } from './clients/anthropic-messages.ts';
import type { Client, ClientLibrary } from './clients/client.ts';
import { langChainAnthropic, langChainOpenAi, langChainResponses } from './clients/langchain.ts';
import { openAiChatClient } from './clients/openai-chat.ts';
import { openAiResponsesClient } from './clients/openai-responses.ts';

const libraries: readonly ClientLibrary[] = [
  openAiChatClient,
  openAiResponsesClient,
  anthropicClient,
  aiSdkOpenAiChat,
  aiSdkOpenAi,
  aiSdkCompatible,
  aiSdkAnthropic,
  langChainOpenAi,
  langChainResponses,
  langChainAnthropic,
];

const apiKey = 'sk-clients';
const plainModel = 'glm-4.7-nothinking';
const thinkingModel = 'glm-4.7';
const said = 'Hello from GLM. You said: hi';
const thought = 'First idea.\nSecond idea.';
const patience = { withinMs: 5_000 };

interface Case {
  readonly name: string;
  /** Absent: every library can do it. */
  readonly fits?: (library: ClientLibrary, client: Client) => boolean;
  readonly run: (client: Client, stack: Stack, library: ClientLibrary) => Promise<void>;
}

/** The status in whatever a library throws. */
function statusOf(error: unknown): number | undefined {
  const { status, statusCode, response } = error as Record<string, unknown>;
  const found = status ?? statusCode ?? (response as Record<string, unknown> | undefined)?.['status'];
  return typeof found === 'number' ? found : undefined;
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('Nothing was thrown.');
    },
    (reason: unknown) => reason,
  );

/** One corpus for all clients: what each of them must make of the same answers of the upstream. */
const cases: readonly Case[] = [
  {
    name: 'whole answer',
    async run(client) {
      const answer = await client.whole({ prompt: 'hi', model: plainModel });
      expect(answer).toEqual({ text: said, reasoning: '', finish: 'stop', inputTokens: 1, outputTokens: 7 });
    },
  },
  {
    name: 'streamed answer',
    async run(client) {
      const pieces: string[] = [];
      const slowly = { prompt: scenario('slow frames=3 delay=20'), model: plainModel };
      expect((await client.stream(slowly, (text) => pieces.push(text))).text).toBe(pieces.join(''));
      expect(pieces.length).toBeGreaterThan(1);
      const answer = await client.stream({ prompt: 'hi', model: plainModel });
      expect(answer).toEqual({ text: said, reasoning: '', finish: 'stop', inputTokens: 1, outputTokens: 7 });
    },
  },
  {
    name: 'any cut of the bytes',
    async run(client) {
      for (const name of ['byte-by-byte', 'utf8-split']) {
        const ask = { prompt: scenario(name), model: plainModel };
        expect((await client.stream(ask)).text).toBe((await client.whole(ask)).text);
      }
    },
  },
  {
    name: 'thinking',
    fits: ({ showsReasoning }) => showsReasoning,
    async run(client) {
      const ask = { prompt: scenario('thinking-then-edit'), model: thinkingModel };
      expect(await client.whole(ask)).toMatchObject({ reasoning: thought, text: said });
      expect(await client.stream(ask)).toMatchObject({ reasoning: thought, text: said });
    },
  },
  {
    name: 'tool loop',
    async run(client, stack) {
      stack.upstream.configure({ answerText: '18 degrees in both.' });
      for (const stream of [false, true]) {
        const cities: string[] = [];
        const run = (city: string): string => {
          cities.push(city);
          // The last marker counts: the next answer is the end.
          return `18 degrees in ${city} [[scenario:plain]]`;
        };
        const ask = { prompt: scenario('tool-call-xml-two'), model: plainModel };
        expect(await client.loop(ask, { name: 'get_weather', run }, stream)).toBe('18 degrees in both.');
        expect(cities).toEqual(['Paris', 'Rome']);
      }
    },
  },
  {
    name: 'structured output',
    fits: (_library, client) => client.structured !== undefined,
    async run(client, stack, { structuredTool }) {
      stack.upstream.configure({ answerText: 'Here you are:\n```json\n{"city":"Rome"}\n```' });
      const call = `tool-call-xml name=${structuredTool} arguments={"city":"Rome"}`;
      const prompt = structuredTool === undefined ? 'Where?' : scenario(call);
      expect(await client.structured!({ prompt, model: plainModel })).toEqual({ city: 'Rome' });
    },
  },
  {
    name: 'token limit',
    async run(client, stack) {
      const ask = { prompt: scenario('slow frames=600 delay=100'), model: plainModel, maxOutputTokens: 2 };
      expect((await client.whole(ask)).finish).toBe('length');
      expect((await client.stream(ask)).finish).toBe('length');
      await waitFor(() => stack.upstream.runningStreams() === 0, patience);
    },
  },
  {
    name: 'silence bridged by heartbeats',
    async run(client) {
      const ask = { prompt: scenario('stall-after-content for=400'), model: plainModel };
      expect((await client.stream(ask)).text).toBe(said);
    },
  },
  {
    name: 'wrong key',
    async run(_client, stack, library) {
      const stranger = library.connect({ url: stack.url, apiKey: 'sk-wrong' });
      expect(statusOf(await failureOf(stranger.whole({ prompt: 'hi', model: plainModel })))).toBe(401);
      expect(statusOf(await failureOf(stranger.stream({ prompt: 'hi', model: plainModel })))).toBe(401);
    },
  },
  {
    name: 'unknown model',
    async run(client) {
      expect(statusOf(await failureOf(client.whole({ prompt: 'hi', model: 'no-such-model' })))).toBe(404);
      expect(statusOf(await failureOf(client.stream({ prompt: 'hi', model: 'no-such-model' })))).toBe(404);
    },
  },
  {
    name: 'busy upstream',
    async run(client) {
      const ask = { prompt: scenario('error-model-busy'), model: plainModel };
      expect(statusOf(await failureOf(client.whole(ask)))).toBe(429);
      expect(statusOf(await failureOf(client.stream(ask)))).toBe(429);
    },
  },
  {
    name: 'failure in mid-answer',
    fits: ({ raisesLateFailures = true }) => raisesLateFailures,
    async run(client) {
      for (const name of ['error-internal-after-content', 'connection-reset', 'eof-mid-frame']) {
        const pieces: string[] = [];
        await failureOf(client.stream({ prompt: scenario(name), model: plainModel }, (text) => pieces.push(text)));
        expect(pieces.join('')).toMatch(/^Hello/);
      }
    },
  },
  {
    name: 'leaving ends the upstream call',
    async run(client, stack) {
      const before = stack.upstream.log.length;
      const leaving = new AbortController();
      const ask = { prompt: scenario('slow frames=600 delay=20'), model: plainModel, signal: leaving.signal };
      await client.stream(ask, () => leaving.abort()).catch(() => undefined);
      const fits = stack.upstream.waitForAbort(({ id }) => id > before, patience.withinMs);
      expect((await fits).path).toMatch(/completions$/);
    },
  },
  {
    name: 'model list',
    fits: (_library, client) => client.models !== undefined,
    async run(client) {
      expect(await client.models!()).toEqual(expect.arrayContaining(['glm-4.7', 'glm-5']));
    },
  },
];

/** Every client through each upstream: it must not notice which one answers. */
const upstreams = {
  web: { ZAI_UPSTREAMS: 'web' },
  platform: { ZAI_UPSTREAMS: 'platform', ZAI_PLATFORM_API_KEY: 'upstream-key' },
};
const combinations = (['web', 'platform'] as const).flatMap((upstream) =>
  libraries.map((library) => ({ upstream, library, name: library.name })),
);

describe.each(combinations)('$name on the $upstream upstream', ({ library, upstream }) => {
  let stack: Stack;
  let client: Client;
  beforeAll(async () => {
    stack = await startStack({
      env: { ZAI_API_KEY: apiKey, ZAI_SSE_HEARTBEAT_SECONDS: '0.05', ...upstreams[upstream] },
    });
    client = library.connect({ url: stack.url, apiKey });
  });
  beforeEach(() => stack.upstream.configure({ answerText: null }));
  afterAll(() => stack.close());

  it.each(cases.filter(({ fits }) => fits?.(library, library.connect({ url: 'http://localhost', apiKey })) ?? true))(
    '$name',
    ({ run }) => run(client, stack, library),
  );
});

describe('docs/clients.md', () => {
  const url = new URL('../../docs/clients.md', import.meta.url);
  const [begin, end] = ['<!-- clients:begin -->', '<!-- clients:end -->'];

  function table(): string {
    const require = createRequire(import.meta.url);
    const rows = libraries.map((library) => {
      const manifest = readFileSync(findManifest(require.resolve(library.packageName), library.packageName), 'utf8');
      const { version } = JSON.parse(manifest) as { version: string };
      const client = library.connect({ url: 'http://localhost', apiKey });
      const cells = cases.map(({ fits }) => ((fits?.(library, client) ?? true) ? '✓' : '–'));
      return [library.name, version, library.endpoint, ...cells];
    });
    const head = ['client', 'version', 'endpoint', ...cases.map(({ name }) => name)];
    const lines = [head, head.map(() => '---'), ...rows];
    return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  }

  it('shows what these tests show', () => {
    const text = readFileSync(url, 'utf8');
    const [before = '', rest = ''] = text.split(begin);
    const written = `${before}${begin}\n\n<!-- prettier-ignore -->\n${table()}\n\n${end}${rest.split(end)[1] ?? ''}`;
    if (process.env['GOLDEN_UPDATE'] === '1') writeFileSync(url, written);
    expect(readFileSync(url, 'utf8')).toBe(written);
  });
});

/** The manifest of the package that a resolved module belongs to: many packages do not export it. */
function findManifest(module: string, packageName: string): string {
  return `${module.slice(0, module.lastIndexOf(`node_modules/${packageName}/`))}node_modules/${packageName}/package.json`;
}
