import { describe, expect, it } from '@jest/globals';
import { createEventChecker, foldEvents, TurnError, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import type { ThinkingDisplay } from './decode-reasoning.ts';
import { encodeAnthropicMessagesResponse } from './encode-response.ts';
import { createAnthropicMessagesStreamEncoder } from './encode-stream.ts';

const start: TurnEvent = { type: 'turn-start', id: '1', model: 'glm-5', createdAt: 1_764_000_000_999, warnings: [] };
const usage = {
  inputTokens: 12,
  outputTokens: 9,
  cachedInputTokens: 5,
  reasoningTokens: 4,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const failure = new TurnError('upstream_timeout', 'The upstream fell silent.', { layer: 'upstream' });
const text = (block: number, ...pieces: string[]): TurnEvent[] => [
  { type: 'text-start', block },
  ...pieces.map((piece): TurnEvent => ({ type: 'text-delta', block, text: piece })),
  { type: 'text-end', block },
];
const reasoning = (block: number, ...pieces: string[]): TurnEvent[] => [
  { type: 'reasoning-start', block },
  ...pieces.map((piece): TurnEvent => ({ type: 'reasoning-delta', block, text: piece })),
  { type: 'reasoning-end', block },
];
const call = (block: number, ...pieces: string[]): TurnEvent[] => [
  { type: 'tool-call-start', block, callId: `call_${block}`, name: 'look' },
  ...pieces.map((argumentsText): TurnEvent => ({ type: 'tool-call-delta', block, argumentsText })),
  { type: 'tool-call-end', block },
];

const formOf = (thinkingDisplay: ThinkingDisplay) => ({ thinkingDisplay, seal: (thought: string) => `<${thought}>` });

function encode(events: readonly TurnEvent[], display: ThinkingDisplay = 'shown'): string {
  const encoder = createAnthropicMessagesStreamEncoder(formOf(display), { countInput: () => 11 });
  return events.map((event) => encoder.push(event)).join('') + encoder.end();
}

interface Message {
  content: Record<string, unknown>[];
  usage: object;
}
interface Frame {
  readonly type: string;
  readonly index?: number;
  readonly message: Message;
  readonly content_block: Record<string, unknown>;
  readonly delta?: Record<string, unknown>;
  readonly usage: object;
}

/** The frames, each held to its name. */
function framesOf(written: string): Frame[] {
  expect(written.endsWith('\n\n')).toBe(true);
  return written
    .slice(0, -2)
    .split('\n\n')
    .map((block) => {
      const [, name, data = ''] = /^event: (\w+)\ndata: ([^\n]*)$/.exec(block) ?? [];
      const frame = JSON.parse(data) as Frame;
      expect(frame.type).toBe(name);
      return frame;
    });
}

/** What an official client makes of the frames. Throws when their order is wrong. */
function read(written: string): Message {
  let message: Message | undefined;
  let open: Record<string, unknown> | undefined;
  let input = '';
  for (const frame of framesOf(written)) {
    if (frame.type === 'ping') continue;
    if (frame.type === 'message_start') {
      expect(message).toBeUndefined();
      message = frame.message;
      continue;
    }
    if (!message) throw new Error('The stream did not begin.');
    if (frame.type === 'content_block_start') {
      expect(open).toBeUndefined();
      expect(frame.index).toBe(message.content.length);
      open = frame.content_block;
      input = '';
      message.content.push(open);
    } else if (frame.type === 'content_block_delta') {
      if (!open) throw new Error('No block is open.');
      expect(frame.index).toBe(message.content.length - 1);
      const { type, ...fields } = frame.delta ?? {};
      // The seal is the last word of a thought.
      expect(open['signature'] ?? '').toBe('');
      if (type === 'input_json_delta') input += String(fields['partial_json']);
      else for (const [key, value] of Object.entries(fields)) open[key] = `${String(open[key])}${String(value)}`;
    } else if (frame.type === 'content_block_stop') {
      if (open?.['type'] === 'tool_use') open['input'] = JSON.parse(input) as unknown;
      open = undefined;
    } else if (frame.type === 'message_delta') {
      expect(open).toBeUndefined();
      Object.assign(message, frame.delta);
      message.usage = { ...message.usage, ...frame.usage };
    }
  }
  if (!message) throw new Error('There was no message.');
  return message;
}

describe('a stream that fails', () => {
  const failed =
    'event: error\ndata: {"type":"error","error":{"type":"timeout_error","message":"The upstream fell silent."}}\n\n';

  it('is one error event when nothing was said yet', () => {
    expect(encode([{ type: 'turn-error', error: failure }])).toBe(failed);
  });

  it('M18: ends with the error event: no stop reason, no end', () => {
    const written = encode([start, ...text(0, 'Hi').slice(0, 2), { type: 'turn-error', error: failure }]);
    expect(written.endsWith(failed)).toBe(true);
    for (const never of ['message_delta', 'message_stop', '[DONE]']) expect(written).not.toContain(never);
  });

  it('says nothing after the error', () => {
    const encoder = createAnthropicMessagesStreamEncoder(formOf('shown'), { countInput: () => 1 });
    encoder.push({ type: 'turn-error', error: failure });
    expect(encoder.push(end) + encoder.end()).toBe('');
  });

  it('never looks complete when it was cut', () => {
    for (const events of [[], [start], [start, ...text(0, 'Hi')]]) {
      const written = encode(events);
      expect(written).toContain('event: error\n');
      expect(written).not.toContain('message_stop');
    }
  });

  it.each<TurnEvent>([{ type: 'text-delta', block: 0, text: 'Hi' }, end])('refuses %j before the start', (event) => {
    const encoder = createAnthropicMessagesStreamEncoder(formOf('shown'), { countInput: () => 1 });
    expect(() => encoder.push(event)).toThrow('before turn-start');
  });
});

describe('a stream', () => {
  it('M03: has its events in order, and no end marker', () => {
    const written = encode([
      start,
      ...reasoning(0, 'Hm', '…'),
      ...text(1, 'a"\n\u2028你\ud83d', '\ude80'),
      ...call(2, '{"a":', '1}'),
      end,
    ]);
    expect(framesOf(written).map(({ type, index = '' }) => `${type}${index}`)).toEqual([
      'message_start',
      'ping',
      'content_block_start0',
      'content_block_delta0',
      'content_block_delta0',
      'content_block_delta0',
      'content_block_stop0',
      'content_block_start1',
      'content_block_delta1',
      'content_block_delta1',
      'content_block_stop1',
      'content_block_start2',
      'content_block_delta2',
      'content_block_delta2',
      'content_block_delta2',
      'content_block_stop2',
      'message_delta',
      'message_stop',
    ]);
    expect(written).not.toContain('[DONE]');
    expect(read(written).content[1]).toMatchObject({ text: 'a"\n\u2028你🚀' });
  });

  it('M05: seals a thought in the last delta of its block', () => {
    const deltas = framesOf(encode([start, ...reasoning(0, 'Hm', '…'), end])).flatMap(({ delta, type }) =>
      type === 'content_block_delta' ? [delta] : [],
    );
    expect(deltas).toEqual([
      { type: 'thinking_delta', thinking: 'Hm' },
      { type: 'thinking_delta', thinking: '…' },
      { type: 'signature_delta', signature: '<Hm…>' },
    ]);
  });

  it('M06: carries an omitted thought in its seal alone', () => {
    const events = [start, ...reasoning(0, 'Hm', '…'), ...text(1, 'Yes.'), end];
    const written = encode(events, 'omitted');
    expect(written).not.toContain('thinking_delta');
    expect(read(written).content[0]).toEqual({ type: 'thinking', thinking: '', signature: '<Hm…>' });
    expect(encodeAnthropicMessagesResponse(foldEvents(events), formOf('omitted'))).toMatchObject({
      content: [
        { type: 'thinking', thinking: '', signature: '<Hm…>' },
        { type: 'text', text: 'Yes.' },
      ],
    });
  });

  it('M09: begins a call with empty input, and has input where there are no arguments', () => {
    const frames = framesOf(encode([start, ...call(0), end]));
    expect(frames.find(({ type }) => type === 'content_block_start')?.content_block).toEqual({
      type: 'tool_use',
      id: 'toolu_0',
      name: 'look',
      input: {},
      caller: { type: 'direct' },
    });
    expect(frames.flatMap(({ delta }) => delta?.['partial_json'] ?? [])).toEqual(['', '{}']);
  });

  it('M15: estimates the input at its start and has totals at its end, cached tokens apart', () => {
    const frames = framesOf(encode([start, ...text(0, 'Hi'), end]));
    expect(frames[0]?.message.usage).toMatchObject({ input_tokens: 11, output_tokens: 0, cache_read_input_tokens: 0 });
    expect(frames.at(-2)?.usage).toEqual({
      input_tokens: 7,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 5,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
      server_tool_use: null,
    });
  });

  it('cites the pages that were named by the end of a text, behind it', () => {
    const source = (url: string): TurnEvent => ({ type: 'source', url, title: url === 'https://b' ? '' : 'A page' });
    const [open, delta, close] = text(2, 'two');
    const events = [start, source('https://a'), ...text(1, 'one'), open!, delta!, source('https://b'), close!, end];
    const { content } = encodeAnthropicMessagesResponse(foldEvents(events), formOf('shown')) as Message;
    const citation = { type: 'web_search_result_location', cited_text: '', encrypted_index: '' };
    expect(content).toEqual([
      { type: 'text', text: 'one', citations: [{ ...citation, url: 'https://a', title: 'A page' }] },
      { type: 'text', text: 'two', citations: [{ ...citation, url: 'https://b', title: null }] },
    ]);
    const deltas = framesOf(encode(events)).flatMap(({ index, delta: each }) =>
      each?.['type'] === 'citations_delta' ? [[index, each['citation']]] : [],
    );
    expect(deltas).toEqual([
      [0, { ...citation, url: 'https://a', title: 'A page' }],
      [1, { ...citation, url: 'https://b', title: null }],
    ]);
  });

  it('has a ping for silence', () => {
    const { heartbeat } = createAnthropicMessagesStreamEncoder(formOf('shown'), { countInput: () => 1 });
    expect(heartbeat).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });

  it.each<[string, TurnEvent[], object]>([
    ['end_turn', [...text(0, 'Hi'), end], { stop_reason: 'end_turn', stop_sequence: null, stop_details: null }],
    ['max_tokens', [{ ...end, reason: 'length' }], { stop_reason: 'max_tokens' }],
    ['stop_sequence', [{ ...end, stopSequence: 'END' }], { stop_reason: 'stop_sequence', stop_sequence: 'END' }],
    ['tool_use', [...call(0, '{}'), end], { stop_reason: 'tool_use' }],
    [
      'tool_use',
      [...call(0, '{}'), { ...end, reason: 'tool-calls', stopSequence: 'x' }],
      { stop_reason: 'tool_use', stop_sequence: null },
    ],
    [
      'refusal',
      [{ ...end, reason: 'content-filter' }],
      { stop_reason: 'refusal', stop_details: { type: 'refusal', category: null, explanation: null } },
    ],
    [
      'refusal',
      [{ type: 'refusal', text: 'No.' }, end],
      { stop_reason: 'refusal', stop_details: { type: 'refusal', category: null, explanation: 'No.' } },
    ],
  ])('M14: stops for %s, streamed and whole', (_reason, events, stop) => {
    expect(read(encode([start, ...events]))).toMatchObject(stop);
    expect(encodeAnthropicMessagesResponse(foldEvents([start, ...events]), formOf('shown'))).toMatchObject(stop);
  });

  it('M04: says what the whole answer says, whatever blocks there are', () => {
    const kinds = { text, reasoning, call: (block: number) => call(block, '{"a":', '[1]}') };
    const block = fc.record({
      kind: fc.constantFrom<keyof typeof kinds>('text', 'reasoning', 'call'),
      pieces: fc.array(fc.string({ minLength: 1, unit: 'binary' }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 6 }),
        fc.constantFrom<ThinkingDisplay>('shown', 'omitted'),
        (blocks, display) => {
          const events = [start, ...blocks.flatMap(({ kind, pieces }, index) => kinds[kind](index, ...pieces)), end];
          const checker = createEventChecker();
          for (const event of events) checker.push(event);
          const whole = encodeAnthropicMessagesResponse(foldEvents(events), formOf(display));
          expect(read(encode(events, display))).toEqual(JSON.parse(JSON.stringify(whole)));
        },
      ),
    );
  });
});

describe('a whole answer', () => {
  it.each(['[1]', '{"a":', 'null'])('does not pretend that %s is an input', (argumentsText) => {
    const result = foldEvents([start, ...call(0, argumentsText), end]);
    expect(() => encodeAnthropicMessagesResponse(result, formOf('shown'))).toThrow('no JSON object');
  });
});
