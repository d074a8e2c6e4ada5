import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createZaiWebDecoder, openAiChat, type CodecContext } from '@zai2api/dialects';
import { createEventChecker, foldEvents, type TurnError, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';

const root = new URL('../../libs/dialects/fixtures/turns/', import.meta.url);
const updates = process.env['GOLDEN_UPDATE'] === '1';
const context: CodecContext = {
  now: () => 1_764_000_000_000,
  newId: () => 'golden',
  countTokens: (text) => Math.ceil(text.length / 4),
};
/** Nothing of the upstream's own markup may reach a client (a case may allow what its answer itself says). */
const markup = /<\/?details|<\/?summary|glm_block|<\/thinking>|<\/?Full>|^> /m;
const markupAllowed = new Set(['html-in-answer']);

function decode(chunks: Iterable<Uint8Array>): TurnEvent[] {
  const decoder = createZaiWebDecoder({ model: 'glm-4.6', warnings: [], prompt: 'What is it?', chatCreated: true, context });
  const events: TurnEvent[] = [];
  for (const chunk of chunks) events.push(...decoder.push(chunk));
  events.push(...decoder.end());
  const checker = createEventChecker();
  for (const event of events) checker.push(event);
  checker.end();
  return events;
}

function encodeStream(events: readonly TurnEvent[]): string {
  const encoder = openAiChat.createStreamEncoder({ includeUsage: true });
  return events.map((event) => encoder.push(event)).join('') + encoder.end();
}

function encodeWhole(events: readonly TurnEvent[]): string {
  try {
    return `${JSON.stringify(openAiChat.encodeResponse(foldEvents(events)), undefined, 2)}\n`;
  } catch (error) {
    return `${JSON.stringify(openAiChat.encodeError(error as TurnError), undefined, 2)}\n`;
  }
}

/** Causes are for the log and may change; everything else of an error is golden. */
function encodeEvents(events: readonly TurnEvent[]): string {
  const line = (event: TurnEvent): unknown =>
    event.type === 'turn-error'
      ? { ...event, error: { code: event.error.code, message: event.error.message, ...event.error.details, cause: undefined } }
      : event;
  return events.map((event) => `${JSON.stringify(line(event))}\n`).join('');
}

function expectGolden(name: string, file: string, actual: string): void {
  const url = new URL(`${name}/${file}`, root);
  if (updates) writeFileSync(url, actual);
  expect(existsSync(url)).toBe(true);
  expect(actual).toBe(readFileSync(url, 'utf8'));
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const names = readdirSync(root);

it('has every case that was promised', () => {
  expect(names.length).toBeGreaterThanOrEqual(50);
});

describe.each(names)('turn %s', (name) => {
  const bytes = new Uint8Array(readFileSync(new URL(`${name}/zai-web.sse`, root)));
  const events = decode([bytes]);

  it('decodes and encodes as recorded', () => {
    expectGolden(name, 'events.jsonl', encodeEvents(events));
    expectGolden(name, 'openai-chat.sse', encodeStream(events));
    expectGolden(name, 'openai-chat.json', encodeWhole(events));
  });

  it('gives the same events byte by byte', () => {
    expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(events);
  });

  it('gives the same events at random cuts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (at) => {
        expect(decode(cut(bytes, at))).toEqual(events);
      }),
      { numRuns: 40 },
    );
  });

  it('says the same streamed and whole, and leaks no markup', () => {
    const streamed = { reasoning_content: '', content: '' };
    for (const frame of encodeStream(events).split('\n\n')) {
      const chunk = frame.startsWith('data: {') ? (JSON.parse(frame.slice(6)) as { choices?: { delta: Partial<typeof streamed> }[] }) : {};
      const delta = chunk.choices?.[0]?.delta;
      streamed.content += delta?.content ?? '';
      streamed.reasoning_content += delta?.reasoning_content ?? '';
    }
    if (!markupAllowed.has(name)) expect(streamed.content + streamed.reasoning_content).not.toMatch(markup);
    if (events.at(-1)?.type !== 'turn-end') return;
    const { reasoning, text } = foldEvents(events);
    expect(streamed).toEqual({ reasoning_content: reasoning, content: text });
  });
});

it('takes a frame of 2 MB, whole and in small pieces', () => {
  const thought = 'All work and no play. '.repeat(95_000);
  const open = '<details type="reasoning" done="false">\n<summary>Thinking…</summary>\n> All';
  const closing = `true" duration="9">\n<summary>Thought for 9 seconds</summary>\n> ${thought}\n</details>\nDone.`;
  const frames = [
    { type: 'chat:completion', data: { phase: 'thinking', delta_content: open } },
    { type: 'chat:completion', data: { phase: 'answer', edit_index: 32, edit_content: closing } },
    { type: 'chat:completion', data: { phase: 'done', done: true } },
  ];
  const bytes = new TextEncoder().encode(frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join(''));
  expect(bytes.length).toBeGreaterThan(2_000_000);
  const whole = decode([bytes]);
  expect(foldEvents(whole)).toMatchObject({ reasoning: thought, text: 'Done.' });
  const pieces = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, index) => bytes.subarray(index * 1000, (index + 1) * 1000));
  expect(decode(pieces)).toEqual(whole);
});
