import { describe, expect, it } from '@jest/globals';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import type { ClientCodecContext } from '../client-dialect.ts';
import { readResponseRequest } from './decode-request.ts';

const context: ClientCodecContext = {
  now: () => 1_764_000_000_000,
  newId: () => 'id',
  seal: (text) => `sealed.${text}`,
  unseal: () => undefined,
};
const decode = (body: object = {}) =>
  readResponseRequest({ model: 'glm-5', input: 'Hi', ...body }).decode(context, { items: new Map() });

interface Event {
  readonly type: string;
  readonly sequence_number: number;
  readonly response?: Readonly<Record<string, unknown>> & { readonly output: readonly object[] };
  readonly [key: string]: unknown;
}
const parse = (text: string): Event[] =>
  text
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => JSON.parse(block.slice(block.indexOf('data: ') + 6)) as Event);

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'glm-5', createdAt: 0, warnings: [] };
const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const callOf = (name: string, ...pieces: string[]): TurnEvent[] => [
  { type: 'tool-call-start', block: 0, callId: 'call_1', name },
  ...pieces.map((argumentsText): TurnEvent => ({ type: 'tool-call-delta', block: 0, argumentsText })),
  { type: 'tool-call-end', block: 0 },
];
const failure = (details = {}): TurnEvent => ({
  type: 'turn-error',
  error: new TurnError('upstream_busy', 'Busy.', { layer: 'upstream', ...details }),
});

function encode(body: object, events: readonly TurnEvent[]): Event[] {
  const encoder = decode(body).createStreamEncoder();
  return parse(events.map((event) => encoder.push(event)).join('') + encoder.end());
}
const typesOf = (events: readonly Event[]): string[] => events.map(({ type }) => type.replace('response.', ''));

describe('the stream of a response', () => {
  it('R05: hands over free text out of its arguments', () => {
    const tools = [{ type: 'custom', name: 'exec' }];
    const events = encode({ tools }, [start, ...callOf('exec', '{"inp', 'ut":"1 +\\n1"}'), end]);
    expect(typesOf(events).slice(2, -1)).toEqual([
      'output_item.added',
      'custom_tool_call_input.delta',
      'custom_tool_call_input.done',
      'output_item.done',
    ]);
    expect(events[2]).toMatchObject({ item: { type: 'custom_tool_call', id: 'ctc_id_0', input: '' } });
    expect(events[3]).toMatchObject({ delta: '1 +\n1' });
    expect(events.at(-1)?.response?.output).toEqual([
      {
        id: 'ctc_id_0',
        type: 'custom_tool_call',
        call_id: 'call_1',
        name: 'exec',
        status: 'completed',
        input: '1 +\n1',
      },
    ]);
  });

  it.each([
    ['spawn', 'spawn', undefined],
    ['a__spawn', 'spawn', 'a'],
    ['wait', 'wait', 'a'],
  ])('R18: calls the tool %s by the name it was declared with', (modelName, name, namespace) => {
    const tool = (declared: string) => ({ type: 'function', name: declared });
    const tools = [tool('spawn'), { type: 'namespace', name: 'a', tools: [tool('spawn'), tool('wait')] }];
    const item = encode({ tools }, [start, ...callOf(modelName, '{}'), end]).at(-1)?.response?.output[0];
    expect(item).toMatchObject({ name, ...(namespace !== undefined && { namespace }) });
    expect(item && 'namespace' in item).toBe(namespace !== undefined);
  });

  it('gives a call without arguments an empty object, in its deltas too', () => {
    const events = encode({}, [start, ...callOf('now'), end]);
    expect(events[3]).toMatchObject({ type: 'response.function_call_arguments.delta', delta: '{}' });
    expect(events[4]).toMatchObject({ name: 'now', arguments: '{}' });
  });

  it('says a refusal as a message of its own', () => {
    const events = encode({}, [start, { type: 'refusal', text: 'No.' }, end]);
    expect(typesOf(events).slice(2, -1)).toEqual([
      'output_item.added',
      'content_part.added',
      'refusal.delta',
      'refusal.done',
      'content_part.done',
      'output_item.done',
    ]);
    expect(events.at(-1)?.response?.output).toMatchObject([{ content: [{ type: 'refusal', refusal: 'No.' }] }]);
  });

  it('R07: seals thoughts when it is asked to', () => {
    const thought: TurnEvent[] = [
      { type: 'reasoning-start', block: 0 },
      { type: 'reasoning-delta', block: 0, text: 'Hm.' },
      { type: 'reasoning-end', block: 0 },
    ];
    const sealed = encode({ include: ['reasoning.encrypted_content'] }, [start, ...thought, end]);
    expect(sealed.at(-1)?.response?.output).toMatchObject([{ type: 'reasoning', encrypted_content: 'sealed.Hm.' }]);
    expect(JSON.stringify(encode({}, [start, ...thought, end]))).not.toContain('encrypted_content');
  });

  it('R21: does not end a call that broke off, but holds what there is of it', () => {
    const events = encode({}, [start, ...callOf('f', '{"a":').slice(0, 2), failure({ retryAfterSeconds: 1.5 })]);
    expect(typesOf(events)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'function_call_arguments.delta',
      'failed',
    ]);
    expect(events.at(-1)?.response).toMatchObject({
      id: events[0]?.response?.['id'],
      status: 'failed',
      error: { code: 'rate_limit_exceeded', message: 'Busy. Please try again in 1.5s.' },
      output: [{ type: 'function_call', arguments: '{"a":', status: 'incomplete' }],
    });
  });

  it('is one even when it fails before it began', () => {
    expect(typesOf(encode({}, [failure()]))).toEqual(['created', 'in_progress', 'failed']);
  });

  it('that is cut has failed', () => {
    expect(encode({}, [start]).at(-1)).toMatchObject({
      type: 'response.failed',
      response: { error: { code: 'server_error' } },
    });
  });

  it('may begin with waiting, and be called off', () => {
    const encoder = decode({ background: true }).createStreamEncoder();
    const queued = parse(encoder.queue('glm-5'));
    expect(typesOf(queued)).toEqual(['created', 'queued']);
    expect(queued.map(({ response }) => response?.['status'])).toEqual(['queued', 'queued']);
    expect(typesOf(parse(encoder.push(start)))).toEqual(['in_progress']);
    const [last] = parse(encoder.cancel());
    expect(last).toMatchObject({ type: 'response.incomplete', sequence_number: 3, response: { status: 'cancelled' } });
    expect([encoder.cancel(), encoder.push(end), encoder.end(), encoder.nextSequenceNumber]).toEqual(['', '', '', 4]);
    expect(encoder.describe().status).toBe('cancelled');
  });

  it('says that it is not kept when it is not', () => {
    const decoded = decode();
    decoded.forgoStore();
    expect(parse(decoded.createStreamEncoder().push(start))[0]?.response?.['store']).toBe(false);
    expect(parse(decode().createStreamEncoder().push(start))[0]?.response?.['store']).toBe(true);
  });

  it('says so from when it is not kept any more, and may take its end back', () => {
    const encoder = decode().createStreamEncoder();
    expect(parse(encoder.push(start))[0]?.response?.['store']).toBe(true);
    expect(encoder.repeatEnd()).toBe('');
    const [kept] = parse(encoder.push(end));
    expect(kept?.response?.['store']).toBe(true);
    encoder.markNotStored();
    const [given] = parse(encoder.repeatEnd());
    expect(given).toEqual({ ...kept, response: { ...kept?.response, store: false } });
    expect(encoder.describe().store).toBe(false);
  });
});
