import { describe, expect, it } from '@jest/globals';
import { createEventChecker, foldEvents, TurnError, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { encodeOpenAiChatResponse } from './encode-response.ts';
import { createOpenAiChatStreamEncoder } from './encode-stream.ts';

const start: TurnEvent = { type: 'turn-start', id: '1', model: 'glm-5', createdAt: 1_764_000_000_999, warnings: [] };
const usage = {
  inputTokens: 12,
  outputTokens: 9,
  cachedInputTokens: 0,
  reasoningTokens: 4,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const failure = new TurnError('upstream_timeout', 'The upstream fell silent.', { layer: 'upstream' });
const failureFrame =
  'data: {"error":{"message":"The upstream fell silent.","type":"server_error","param":null,"code":"upstream_timeout"}}\n\n';

function encode(events: readonly TurnEvent[], includeUsage = false): string {
  const encoder = createOpenAiChatStreamEncoder({ includeUsage, legacyFunctions: false });
  return events.map((event) => encoder.push(event)).join('') + encoder.end();
}

const head =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"glm-5","choices":';
const delta = (fields: string, reason = 'null'): string =>
  `${head}[{"index":0,"delta":{${fields}},"finish_reason":${reason}}]`;
const role = delta('"role":"assistant","content":null');

describe('a stream that fails', () => {
  const text: TurnEvent[] = [
    { type: 'text-start', block: 0 },
    { type: 'text-delta', block: 0, text: 'Hi' },
  ];

  it('is one error frame when nothing was said yet', () => {
    expect(encode([{ type: 'turn-error', error: failure }])).toBe(failureFrame);
  });

  it('ends with the error frame: no finish reason, no usage, no [DONE]', () => {
    const written = encode([start, ...text, { type: 'turn-error', error: failure }], true);
    expect(written.endsWith(`"usage":null}\n\n${failureFrame}`)).toBe(true);
    expect(written).not.toContain('[DONE]');
    expect(written).not.toContain('"finish_reason":"');
  });

  it('says nothing after the error', () => {
    const encoder = createOpenAiChatStreamEncoder({ includeUsage: true, legacyFunctions: false });
    encoder.push({ type: 'turn-error', error: failure });
    expect(encoder.push(end) + encoder.end()).toBe('');
  });

  it('never looks complete when it was cut', () => {
    const written = encode([start, ...text]);
    expect(written).toContain('"code":"upstream_error"');
    expect(written).not.toContain('[DONE]');
    expect(encode([])).toContain('"code":"upstream_error"');
  });

  it.each<TurnEvent>([{ type: 'text-delta', block: 0, text: 'Hi' }, end])('refuses %j before the start', (event) => {
    expect(() => createOpenAiChatStreamEncoder({ includeUsage: false, legacyFunctions: false }).push(event)).toThrow(
      'before turn-start',
    );
  });
});

describe('a stream', () => {
  it('has role, text, finish and [DONE], and no usage when nobody asked', () => {
    const events: TurnEvent[] = [
      start,
      { type: 'text-start', block: 0 },
      { type: 'text-delta', block: 0, text: 'a"\n\u2028你\ud83d' },
      { type: 'text-delta', block: 0, text: '\ude80' },
      { type: 'text-end', block: 0 },
      end,
    ];
    expect(encode(events)).toBe(
      `${role}}\n\n${delta('"content":"a\\"\\n\u2028你\\ud83d"')}}\n\n${delta('"content":"\\ude80"')}}\n\n${delta('', '"stop"')}}\n\ndata: [DONE]\n\n`,
    );
  });

  it('carries usage once, after the finish, when asked', () => {
    const usageText =
      '"usage":{"prompt_tokens":12,"completion_tokens":9,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":4}}';
    expect(encode([start, end], true)).toBe(
      `${role},"usage":null}\n\n${delta('', '"stop"')},"usage":null}\n\n${head}[],${usageText}}\n\ndata: [DONE]\n\n`,
    );
  });

  it('names each tool call once and gives empty arguments as an object', () => {
    const events: TurnEvent[] = [
      start,
      { type: 'tool-call-start', block: 0, callId: 'call_a', name: 'find' },
      { type: 'tool-call-delta', block: 0, argumentsText: '{"q":' },
      { type: 'tool-call-delta', block: 0, argumentsText: '1}' },
      { type: 'tool-call-end', block: 0 },
      { type: 'tool-call-start', block: 1, callId: 'call_b', name: 'list' },
      { type: 'tool-call-end', block: 1 },
      end,
    ];
    const named = (index: number, id: string, name: string) =>
      delta(
        `"tool_calls":[{"index":${index},"id":"${id}","type":"function","function":{"name":"${name}","arguments":""}}]`,
      );
    const piece = (index: number, text: string) =>
      delta(`"tool_calls":[{"index":${index},"function":{"arguments":${JSON.stringify(text)}}}]`);
    expect(encode(events)).toBe(
      [
        role,
        named(0, 'call_a', 'find'),
        piece(0, '{"q":'),
        piece(0, '1}'),
        named(1, 'call_b', 'list'),
        piece(1, '{}'),
        delta('', '"tool_calls"'),
      ]
        .map((frame) => `${frame}}\n\n`)
        .join('') + 'data: [DONE]\n\n',
    );
  });

  it('gives the first call in the shape of old where functions were used', () => {
    const encoder = createOpenAiChatStreamEncoder({ includeUsage: false, legacyFunctions: true });
    const events: TurnEvent[] = [
      start,
      { type: 'tool-call-start', block: 0, callId: 'call_a', name: 'find' },
      { type: 'tool-call-delta', block: 0, argumentsText: '{"q":1}' },
      { type: 'tool-call-end', block: 0 },
      { type: 'tool-call-start', block: 1, callId: 'call_b', name: 'list' },
      { type: 'tool-call-end', block: 1 },
      end,
    ];
    expect(events.map((event) => encoder.push(event)).join('')).toBe(
      [
        role,
        delta('"function_call":{"name":"find","arguments":""}'),
        delta('"function_call":{"arguments":"{\\"q\\":1}"}'),
        delta('', '"function_call"'),
      ]
        .map((frame) => `${frame}}\n\n`)
        .join('') + 'data: [DONE]\n\n',
    );
  });

  it('gives a refusal in its own field and ends properly', () => {
    expect(encode([start, { type: 'refusal', text: 'No "x".' }, end])).toBe(
      `${role}}\n\n${delta('"refusal":"No \\"x\\"."')}}\n\n${delta('', '"stop"')}}\n\ndata: [DONE]\n\n`,
    );
  });

  it('gives all sources in one chunk before the end, with the places of their links', () => {
    const link = '[[1]](https://a.example/)';
    expect(
      encode([
        start,
        { type: 'source', url: 'https://a.example/', title: 'A' },
        { type: 'source', url: 'https://b.example/', title: 'B' },
        { type: 'text-start', block: 0 },
        { type: 'text-delta', block: 0, text: `😀 so ${link.slice(0, 9)}` },
        { type: 'text-delta', block: 0, text: `${link.slice(9)}, ${link}.` },
        { type: 'text-end', block: 0 },
        end,
      ]),
    ).toContain(
      `${delta(
        '"annotations":[' +
          '{"type":"url_citation","url_citation":{"url":"https://a.example/","title":"A","start_index":5,"end_index":30}},' +
          '{"type":"url_citation","url_citation":{"url":"https://a.example/","title":"A","start_index":32,"end_index":57}},' +
          '{"type":"url_citation","url_citation":{"url":"https://b.example/","title":"B","start_index":0,"end_index":0}}]',
      )}}\n\n${delta('', '"stop"')}}\n\n`,
    );
  });
});

interface Chunk {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly delta: Readonly<Record<string, unknown>>;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: unknown;
}

interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: string;
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** Reads a stream as clients do: keys of deltas one by one, strings joined. */
function readStream(written: string) {
  const frames = written.split('\n\n').slice(0, -1);
  expect(frames.pop()).toBe('data: [DONE]');
  const chunks = frames.map((frame) => JSON.parse(frame.slice('data: '.length)) as Chunk);
  const message = {
    content: '',
    reasoning_content: '',
    refusal: '',
    tool_calls: [] as unknown[],
    annotations: [] as unknown[],
  };
  const calls: { id: string; type: string; function: { name: string; arguments: string } }[] = [];
  let finish: string | null = null;
  let usageSeen: unknown;
  chunks.forEach((chunk, index) => {
    expect([chunk.id, chunk.model]).toEqual([chunks[0]!.id, chunks[0]!.model]);
    usageSeen ??= chunk.usage;
    const [choice] = chunk.choices;
    if (!choice) return;
    const { delta } = choice;
    expect(finish).toBeNull();
    finish = choice.finish_reason;
    expect(Object.keys(delta)).toHaveLength(index === 0 ? 2 : finish === null ? 1 : 0);
    expect('role' in delta).toBe(index === 0);
    for (const key of ['content', 'reasoning_content', 'refusal'] as const) {
      if (typeof delta[key] !== 'string') continue;
      expect(delta[key]).not.toBe('');
      message[key] += delta[key];
    }
    message.annotations.push(...((delta['annotations'] as unknown[] | undefined) ?? []));
    for (const piece of (delta['tool_calls'] as ToolCallDelta[] | undefined) ?? []) {
      if (piece.id === undefined) calls[piece.index]!.function.arguments += piece.function.arguments;
      else calls.push({ id: piece.id, type: piece.type!, function: { name: piece.function.name!, arguments: '' } });
      expect(piece.index).toBe(calls.length - 1);
    }
  });
  return { message: { ...message, tool_calls: calls }, finish, usage: usageSeen };
}

const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0x20, max: 0x7e })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((units) => String.fromCharCode(...units));
const blocks = fc.array(
  fc.record({
    kind: fc.constantFrom('reasoning', 'text', 'tool-call', 'source'),
    pieces: fc.array(anyText, { maxLength: 4 }),
  }),
  { maxLength: 8 },
);

function eventsOf(
  list: readonly { kind: 'reasoning' | 'text' | 'tool-call' | 'source'; pieces: string[] }[],
  refusal: string | undefined,
): TurnEvent[] {
  const body = list.flatMap(({ kind, pieces }, block): TurnEvent[] => {
    if (kind === 'source') return [{ type: 'source', url: `https://example/${block}`, title: pieces.join('') }];
    if (kind === 'tool-call') {
      const deltas = pieces.map((argumentsText): TurnEvent => ({ type: 'tool-call-delta', block, argumentsText }));
      return [
        { type: 'tool-call-start', block, callId: `call_${block}`, name: 'f' },
        ...deltas,
        { type: 'tool-call-end', block },
      ];
    }
    const deltas = pieces.map((text): TurnEvent => ({ type: `${kind}-delta`, block, text }));
    return [{ type: `${kind}-start`, block }, ...deltas, { type: `${kind}-end`, block }];
  });
  return [start, ...body, ...(refusal === undefined ? [] : [{ type: 'refusal', text: refusal } as const]), end];
}

describe('any stream', () => {
  it('says the same as the whole answer', () => {
    fc.assert(
      fc.property(blocks, fc.option(anyText, { nil: undefined }), fc.boolean(), (list, refusal, includeUsage) => {
        const events = eventsOf(list, refusal);
        const checker = createEventChecker();
        for (const event of events) checker.push(event);
        checker.end();

        const read = readStream(encode(events, includeUsage));
        const whole = encodeOpenAiChatResponse(foldEvents(events), { legacyFunctions: false }) as {
          choices: [{ message: Partial<typeof read.message>; finish_reason: string }];
          usage: unknown;
        };
        const [{ message, finish_reason }] = whole.choices;
        expect(read).toEqual({
          message: {
            content: message.content ?? '',
            reasoning_content: message.reasoning_content ?? '',
            refusal: message.refusal ?? '',
            tool_calls: message.tool_calls ?? [],
            annotations: message.annotations ?? [],
          },
          finish: finish_reason,
          usage: includeUsage ? whole.usage : undefined,
        });
      }),
      { numRuns: 300 },
    );
  });
});
