import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  createToolBridge,
  createZaiPlatformDecoder,
  createZaiWebDecoder,
  openAiChat,
  type ClientDialect,
  type CodecContext,
  type UpstreamDecoder,
} from '@zai2api/dialects';
import { createEventChecker, foldEvents, TurnError, type TurnEvent, type TurnRequest } from '@zai2api/turn';
import fc from 'fast-check';
import { clientDialects, createGoldenContext } from './client-dialects.ts';

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
const toolMarkup = /<\/?tool_|<\/?arg|<\/?name|CDATA|\]\]?>|tool_calls|"arguments"/;
const toolMarkupAllowed = new Set(['tool-spoken-about', 'tool-fenced-json-look-alikes']);

/** What a case's `request.json` may say; nothing in most cases. */
type Asked = Partial<Pick<TurnRequest, 'tools' | 'toolChoice' | 'parallelToolCalls'>> & { upstream?: Upstream };

/** Whose bytes a case holds. */
type Upstream = 'zai-web' | 'zai-platform';

function createDecoder(tools: readonly string[], upstream: Upstream): UpstreamDecoder {
  const options = { model: 'glm-4.6', warnings: [], context };
  return upstream === 'zai-web'
    ? createZaiWebDecoder({ ...options, prompt: 'What is it?', chatCreated: true, tools })
    : createZaiPlatformDecoder({ ...options, prompt: () => 'What is it?', takesCalls: tools.length > 0 });
}

function decode(chunks: Iterable<Uint8Array>, asked: Asked = {}): TurnEvent[] {
  const { tools = [], toolChoice = { mode: 'auto' }, parallelToolCalls = true, upstream = 'zai-web' } = asked;
  const names = tools.map(({ name }) => name);
  const decoder = createDecoder(names, upstream);
  let ids = 0;
  const bridge = createToolBridge({ tools, toolChoice, parallelToolCalls, newId: () => String((ids += 1)) });
  const events: TurnEvent[] = [];
  for (const chunk of chunks) events.push(...decoder.push(chunk).flatMap(bridge));
  events.push(...decoder.end().flatMap(bridge));
  const checker = createEventChecker();
  for (const event of events) checker.push(event);
  checker.end();
  return events;
}

const askOf = (dialect: ClientDialect): unknown => clientDialects.find((each) => each.dialect === dialect)?.ask;

function encodeStream(events: readonly TurnEvent[], dialect: ClientDialect = openAiChat): string {
  const encoder = dialect
    .decodeRequest(askOf(dialect), createGoldenContext())
    .createStreamEncoder({ countInput: () => 7 });
  return events.map((event) => encoder.push(event)).join('') + encoder.end();
}

function encodeWhole(events: readonly TurnEvent[], dialect: ClientDialect = openAiChat): string {
  const decoded = dialect.decodeRequest(askOf(dialect), createGoldenContext());
  try {
    return `${JSON.stringify(decoded.encodeResponse(foldEvents(events)), undefined, 2)}\n`;
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    return `${JSON.stringify(dialect.encodeError(error), undefined, 2)}\n`;
  }
}

/** Causes are for the log and may change; everything else of an error is golden. */
function encodeEvents(events: readonly TurnEvent[]): string {
  const line = (event: TurnEvent): unknown =>
    event.type === 'turn-error'
      ? {
          ...event,
          error: { code: event.error.code, message: event.error.message, ...event.error.details, cause: undefined },
        }
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

function readAsked(name: string): Asked {
  const url = new URL(`${name}/request.json`, root);
  const upstream = name.startsWith('platform-') ? 'zai-platform' : 'zai-web';
  return { ...(existsSync(url) ? (JSON.parse(readFileSync(url, 'utf8')) as Asked) : {}), upstream };
}

/** The events without how their text was cut. */
function joinDeltas(events: readonly TurnEvent[]): TurnEvent[] {
  const joined: TurnEvent[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.type === 'tool-call-delta' && last?.type === event.type)
      joined[joined.length - 1] = { ...last, argumentsText: last.argumentsText + event.argumentsText };
    else if ((event.type === 'text-delta' || event.type === 'reasoning-delta') && last?.type === event.type)
      joined[joined.length - 1] = { ...last, text: last.text + event.text };
    else joined.push(event);
  }
  return joined;
}

/** The outcome without how it was cut into deltas. */
function fold(events: readonly TurnEvent[]): unknown {
  try {
    return foldEvents(events);
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    // How much had been sent when it failed may depend on the cut, the failure may not.
    return [error.code, error.details.reason, error.message];
  }
}

interface Frame {
  readonly data: Record<string, unknown>;
}

/** The frames of a recording with neighbouring texts of one phase joined: what any other cut of the same text has in common. */
function joinFrames(sse: string): Frame[] {
  const frames: Frame[] = [];
  for (const line of sse.split('\n\n').filter((each) => each.startsWith('data: {'))) {
    const frame = JSON.parse(line.slice(6)) as Frame;
    const last = frames.at(-1)?.data;
    const isText = (data: Record<string, unknown> | undefined): boolean =>
      typeof data?.['delta_content'] === 'string' && data['done'] !== true;
    if (last && isText(last) && isText(frame.data) && last['phase'] === frame.data['phase']) {
      last['delta_content'] = `${String(last['delta_content'])}${String(frame.data['delta_content'])}`;
    } else {
      frames.push(frame);
    }
  }
  return frames;
}

/** The same frame in two, cut at this place of its text or arguments. Only the first one names the tool. */
function splitFrame(frame: Frame, at: number): Frame[] {
  const key = textKey(frame);
  const text = textOf(frame);
  const rest = Object.fromEntries(Object.entries(frame.data).filter(([field]) => field !== 'delta_name'));
  return [
    { ...frame, data: { ...frame.data, [key]: text.slice(0, at) } },
    { ...frame, data: { ...rest, [key]: text.slice(at) } },
  ];
}

function textOf(frame: Frame): string {
  const text = frame.data[textKey(frame)];
  return typeof text === 'string' ? text : '';
}

const textKey = ({ data }: Frame): string => ('delta_arguments' in data ? 'delta_arguments' : 'delta_content');

const encodeFrames = (frames: readonly Frame[]): Uint8Array[] => [
  new TextEncoder().encode(frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('')),
];

const names = readdirSync(root);
const platformNames = names.filter((name) => name.startsWith('platform-'));
const toolNames = names.filter((name) => name.startsWith('tool-'));

it('has every case that was promised', () => {
  expect(names.length).toBeGreaterThanOrEqual(100);
  expect(toolNames.length).toBeGreaterThanOrEqual(45);
  expect(platformNames.length).toBeGreaterThanOrEqual(60);
});

describe.each(names)('turn %s', (name) => {
  const asked = readAsked(name);
  const bytes = new Uint8Array(readFileSync(new URL(`${name}/${asked.upstream}.sse`, root)));
  const events = decode([bytes], asked);

  it('decodes and encodes as recorded', () => {
    expectGolden(name, 'events.jsonl', encodeEvents(events));
    for (const { dialect } of clientDialects) {
      expectGolden(name, `${dialect.name}.sse`, encodeStream(events, dialect));
      expectGolden(name, `${dialect.name}.json`, encodeWhole(events, dialect));
    }
  });

  it('gives the same events byte by byte', () => {
    expect(
      decode(
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
        asked,
      ),
    ).toEqual(events);
  });

  it('gives the same events at random cuts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (at) => {
        expect(joinDeltas(decode(cut(bytes, at), asked))).toEqual(joinDeltas(events));
      }),
      { numRuns: 40 },
    );
  });

  it('says the same streamed and whole, and leaks no markup', () => {
    const streamed = { reasoning_content: '', content: '' };
    for (const frame of encodeStream(events).split('\n\n')) {
      const chunk = frame.startsWith('data: {')
        ? (JSON.parse(frame.slice(6)) as { choices?: { delta: Partial<typeof streamed> }[] })
        : {};
      const delta = chunk.choices?.[0]?.delta;
      streamed.content += delta?.content ?? '';
      streamed.reasoning_content += delta?.reasoning_content ?? '';
    }
    if (!markupAllowed.has(name)) expect(streamed.content + streamed.reasoning_content).not.toMatch(markup);
    if (asked.tools && !toolMarkupAllowed.has(name))
      expect(streamed.content + streamed.reasoning_content).not.toMatch(toolMarkup);
    if (events.at(-1)?.type !== 'turn-end') return;
    const { reasoning, text } = foldEvents(events);
    expect(streamed).toEqual({ reasoning_content: reasoning, content: text });
  });
});

describe.each(toolNames)('turn %s', (name) => {
  const asked = readAsked(name);
  const sse = readFileSync(new URL(`${name}/zai-web.sse`, root), 'utf8');
  const outcome = fold(decode([new TextEncoder().encode(sse)], asked));
  const frames = joinFrames(sse);

  it('says the same at every cut of its text, and one character at a time', () => {
    expect(fold(decode(encodeFrames(frames), asked))).toEqual(outcome);
    for (const [index, frame] of frames.entries()) {
      for (let at = 1; at < textOf(frame).length; at++) {
        const pieces = [...frames.slice(0, index), ...splitFrame(frame, at), ...frames.slice(index + 1)];
        expect(fold(decode(encodeFrames(pieces), asked))).toEqual(outcome);
      }
    }
    const single = frames.flatMap((frame) => {
      const pieces = [frame];
      for (let last = frame; textOf(last).length > 1; last = pieces.at(-1) ?? last)
        pieces.splice(-1, 1, ...splitFrame(last, 1));
      return pieces;
    });
    expect(fold(decode(encodeFrames(single), asked))).toEqual(outcome);
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
  const pieces = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, index) =>
    bytes.subarray(index * 1000, (index + 1) * 1000),
  );
  expect(decode(pieces)).toEqual(whole);
});
