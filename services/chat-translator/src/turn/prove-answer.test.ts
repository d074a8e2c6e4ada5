import { describe, expect, it } from '@jest/globals';
import { builtInModels } from '@zai2api/dialects';
import type { Credential } from '@zai2api/credentials';
import {
  createEventChecker,
  foldEvents,
  TurnError,
  type ResponseFormat,
  type ToolDefinition,
  type TurnEvent,
  type TurnMessage,
  type TurnRequest,
} from '@zai2api/turn';
import type { DriverTurn, UpstreamDriver } from '../upstream-driver.ts';
import { proveAnswers } from './prove-answer.ts';
import { createSchemaChecks } from './schema-check.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const usage = {
  inputTokens: 10,
  outputTokens: 20,
  cachedInputTokens: 1,
  reasoningTokens: 5,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const think = (block: number, text: string): TurnEvent[] => [
  { type: 'reasoning-start', block },
  { type: 'reasoning-delta', block, text },
  { type: 'reasoning-end', block },
];
const say = (block: number, ...pieces: readonly string[]): TurnEvent[] => [
  { type: 'text-start', block },
  ...pieces.map((text): TurnEvent => ({ type: 'text-delta', block, text })),
  { type: 'text-end', block },
];
const call = (argumentsText: string, name = 'now'): string =>
  `<tool_calls><tool_call name="${name}"><![CDATA[${argumentsText}]]></tool_call></tool_calls>`;

const credential: Credential = {
  id: 'c-1',
  kind: 'guest',
  token: 'token',
  userId: 'u',
  userName: '',
  createdAtMs: 0,
  expiresAtMs: Infinity,
  concurrency: 1,
};
const limit = { ms: 0, variable: 'X' };
const tool = (strict = false): ToolDefinition => ({
  name: 'now',
  parameters: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] },
  strict,
});
const json: ResponseFormat = {
  type: 'json-schema',
  name: 'n',
  schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
  strict: true,
};
const messages: readonly TurnMessage[] = [{ role: 'user', text: 'What time is it?', attachments: [] }];

function turnOf(fields: Partial<TurnRequest>): DriverTurn {
  return {
    request: {
      model: 'm',
      messages,
      reasoning: { visible: true },
      tools: [],
      toolChoice: { mode: 'auto' },
      parallelToolCalls: true,
      responseFormat: { type: 'text' },
      sampling: { stop: [] },
      ...fields,
    },
    media: [],
    warnings: [],
    model: builtInModels[0]!,
    thinking: false,
    search: false,
    timeouts: { idle: limit, firstToken: limit, total: limit },
  };
}
const demanding = (): DriverTurn => turnOf({ tools: [tool()], toolChoice: { mode: 'required' } });

/** An answer by batches; a function is run where it stands. */
type Attempt = readonly (readonly TurnEvent[] | (() => void))[];

/** The prover on a driver that gives these answers, one for every time it is asked. */
function prove(turn: DriverTurn, attempts: readonly Attempt[], signal = new AbortController().signal) {
  const asked: DriverTurn[] = [];
  const log: string[] = [];
  const driver: UpstreamDriver = {
    name: 'fake',
    async *run(given, usedCredential, usedSignal) {
      const number = asked.push(given);
      expect([usedCredential, usedSignal]).toEqual([credential, signal]);
      log.push(`begin ${number}`);
      try {
        for (const step of attempts[number - 1] ?? []) {
          if (typeof step === 'function') step();
          else yield [...step];
        }
      } finally {
        log.push(`end ${number}`);
      }
    },
    listModels: () => Promise.resolve([]),
    refresh: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
  let id = 0;
  const proved = proveAnswers(driver, { schemas: createSchemaChecks(), newId: () => String((id += 1)) });
  return { asked, log, proved, batches: proved.run(turn, credential, signal) };
}

/** All events, held to the order rules. */
async function collect(batches: AsyncIterable<TurnEvent[]>): Promise<TurnEvent[]> {
  const events: TurnEvent[] = [];
  const checker = createEventChecker();
  for await (const batch of batches) {
    expect(batch).not.toEqual([]);
    for (const event of batch) checker.push(event);
    events.push(...batch);
  }
  checker.end();
  return events;
}

const twice = { ...usage, inputTokens: 20, outputTokens: 40, cachedInputTokens: 2, reasoningTokens: 10 };
const isCall = ({ type }: TurnEvent): boolean => type.startsWith('tool-call-');

describe('an answer that is what was asked for', () => {
  it('passes as it is when nothing was asked for', async () => {
    const turn = turnOf({});
    const given = [start, ...think(0, 'hm'), ...say(1, call('{}')), end];
    const { batches, asked } = prove(turn, [[given]]);
    expect(await collect(batches)).toEqual(given);
    expect(asked).toEqual([turn]);
    expect(asked[0]).toBe(turn);
  });

  it.each<[string, DriverTurn, string]>([
    ['free text with tools', turnOf({ tools: [tool()] }), 'Noon.'],
    ['a call', demanding(), call('{"zone":"UTC"}')],
    ['JSON', turnOf({ responseFormat: json }), '{"a":1}'],
    ['nearly JSON', turnOf({ responseFormat: json }), "{'a':1}"],
    ['a call instead of JSON', turnOf({ tools: [tool()], responseFormat: json }), call('{"zone":"UTC"}')],
  ])('is asked for once: %s', async (_what, turn, text) => {
    const { batches, asked, log } = prove(turn, [[[start, ...say(0, text.slice(0, 3), text.slice(3))], [end]]]);
    const events = await collect(batches);
    expect(events.at(-1)).toMatchObject({ type: 'turn-end', usage });
    expect([asked, log]).toEqual([[turn], ['begin 1', 'end 1']]);
  });

  it('keeps the rest of the driver', () => {
    const { proved } = prove(turnOf({}), []);
    expect([proved.name, typeof proved.listModels, typeof proved.refresh, typeof proved.stop]).toEqual([
      'fake',
      'function',
      'function',
      'function',
    ]);
  });
});

describe('a demand that was not met', () => {
  const cases: readonly [string, DriverTurn, string, string, RegExp][] = [
    ['no call', demanding(), 'Noon.', call('{"zone":"UTC"}'), /had to call the tool now, and did not/],
    [
      'arguments that are none',
      turnOf({ tools: [tool()] }),
      call('zone = UTC, I think'),
      call('{"zone":"UTC"}'),
      /not one complete JSON object/,
    ],
    [
      'arguments that the strict schema refuses',
      turnOf({ tools: [tool(true)] }),
      call('{}'),
      call('{"zone":"UTC"}'),
      /must have required property 'zone'/,
    ],
    [
      'a tool that nobody declared',
      turnOf({ tools: [tool()] }),
      call('{}', 'launch'),
      call('{"zone":"UTC"}'),
      /not valid/,
    ],
    ['prose for JSON', turnOf({ responseFormat: json }), 'It is one.', '{"a":1}', /not one JSON object/],
    ['JSON that the schema refuses', turnOf({ responseFormat: json }), '{"a":"b"}', '{"a":1}', /\/a must be integer/],
  ];

  it.each(cases)('is asked for once more, and then delivered: %s', async (_what, turn, bad, good, reason) => {
    const { batches, asked, log } = prove(turn, [
      [[start, ...say(0, bad)], [end]],
      [[{ ...start, id: 'other' }], say(0, good), [end]],
    ]);
    const events = await collect(batches);
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
    // The identity of the first answer, the content of the second, the cost of both.
    expect(events[0]).toBe(start);
    const { text, toolCalls, usage: cost } = foldEvents(events);
    expect(cost).toEqual(twice);
    if (turn.request.tools.length > 0) {
      expect([text, toolCalls.map(({ argumentsText }) => argumentsText)]).toEqual(['', ['{"zone":"UTC"}']]);
    } else {
      expect([text, toolCalls]).toEqual([good, []]);
    }

    // The same conversation, and what was wrong with its answer.
    const [first, second] = asked;
    expect(first).toBe(turn);
    expect({ ...second, request: { ...second!.request, messages } }).toEqual(turn);
    expect(second!.request.messages.slice(0, -1)).toEqual(messages);
    const last = second!.request.messages.at(-1)!;
    expect(last).toMatchObject({ role: 'user', attachments: [], text: expect.stringMatching(reason) });
  });

  it.each(cases.slice(0, 4))('twice is an error of its own: %s', async (_what, turn, bad) => {
    const attempt: Attempt = [[start, ...say(0, bad)], [end]];
    const { batches, log } = prove(turn, [attempt, attempt, attempt]);
    const events = await collect(batches);
    expect(events.filter(isCall)).toEqual([]);
    expect(events.at(-1)).toMatchObject({
      type: 'turn-error',
      error: {
        code: 'upstream_failed',
        details: { reason: expect.stringMatching(/^(tool_choice_not_satisfied|invalid_tool_call)$/) },
      },
    });
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it.each(cases.slice(4))('twice is a refusal: %s', async (_what, turn, bad) => {
    const attempt: Attempt = [[start, ...say(0, bad)], [end]];
    const { batches, log } = prove(turn, [attempt, attempt, attempt]);
    expect(await collect(batches)).toEqual([
      start,
      { type: 'refusal', text: 'The model did not answer with the JSON that was asked for.' },
      { type: 'turn-end', reason: 'stop', usage: twice },
    ]);
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it.each<[string, DriverTurn, string, string]>([
    ['JSON', turnOf({ responseFormat: json }), 'One.', '{"a":1}'],
    ['a call', demanding(), 'Noon.', call('{"zone":"UTC"}')],
  ])('lets the thinking of both answers flow, before %s', async (_what, turn, bad, good) => {
    const { batches } = prove(turn, [
      [[start, ...think(0, 'first')], say(1, bad), [end]],
      [[start, ...think(0, 'second'), ...think(1, 'third')], say(2, good), [end]],
    ]);
    const shown: TurnEvent[][] = [];
    const checker = createEventChecker();
    for await (const batch of batches) {
      shown.push(batch);
      for (const event of batch) checker.push(event);
    }
    checker.end();
    expect(shown.slice(0, 2)).toEqual([
      [start, ...think(0, 'first')],
      [...think(1, 'second'), ...think(2, 'third')],
    ]);
    expect(foldEvents(shown.flat())).toMatchObject({ reasoning: 'first\n\nsecond\n\nthird', usage: twice });
  });

  it('may be estimated in part, and then is so as a whole', async () => {
    const estimated: TurnEvent = { type: 'turn-end', reason: 'stop', usage: { ...usage, exactness: 'estimated' } };
    const { batches } = prove(turnOf({ responseFormat: json }), [
      [[start, ...say(0, 'One.'), estimated]],
      [[start, ...say(0, '{"a":1}'), end]],
    ]);
    expect(foldEvents(await collect(batches)).usage).toEqual({ ...twice, exactness: 'estimated' });
  });
});

describe('nothing is asked for again', () => {
  it('behind content: a broken call after text', async () => {
    const turn = turnOf({ tools: [tool()] });
    const { batches, asked } = prove(turn, [[[start, ...say(0, 'I look. ', call('zone = UTC, I think')), end]]]);
    const events = await collect(batches);
    expect(events.filter(({ type }) => type === 'text-delta')).toMatchObject([{ text: 'I look.' }]);
    expect(events.at(-1)).toMatchObject({ type: 'turn-error', error: { details: { reason: 'invalid_tool_call' } } });
    expect(asked).toHaveLength(1);
  });

  it('behind content: a broken call after a good one', async () => {
    const turn = turnOf({ tools: [tool(true)] });
    const text = call('{"zone":"UTC"}').replace('</tool_calls>', '') + call('{}').replace('<tool_calls>', '');
    const { batches, asked } = prove(turn, [[[start, ...say(0, text), end]]]);
    const events = await collect(batches);
    expect(events.filter(({ type }) => type === 'tool-call-end')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: 'turn-error', error: { details: { reason: 'invalid_tool_call' } } });
    expect(asked).toHaveLength(1);
  });

  it('when the upstream failed', async () => {
    const error = new TurnError('upstream_failed', 'No.', { layer: 'upstream' });
    const attempt: Attempt = [[start, ...say(0, '{"a"'), { type: 'turn-error', error }]];
    const { batches, asked } = prove(turnOf({ responseFormat: json }), [attempt, attempt]);
    expect(await collect(batches)).toEqual([start, { type: 'turn-error', error }]);
    expect(asked).toHaveLength(1);
  });

  it('when the answer was cut', async () => {
    const cut: TurnEvent = { type: 'turn-end', reason: 'length', usage };
    const { batches, asked } = prove(turnOf({ responseFormat: json }), [[[start, ...say(0, '{"a":'), cut]]]);
    expect(foldEvents(await collect(batches))).toMatchObject({ text: '{"a":', finishReason: 'length' });
    expect(asked).toHaveLength(1);
  });

  it('when the model goes round in circles', async () => {
    const round: TurnMessage[] = [
      { role: 'assistant', text: '', toolCalls: [{ callId: 'c', name: 'now', argumentsText: '{"zone":"UTC"}' }] },
      { role: 'tool', callId: 'c', text: 'noon' },
    ];
    const turn = turnOf({
      tools: [tool()],
      messages: [...messages, ...Array.from({ length: 30 }, () => round).flat()],
    });
    const { batches, asked } = prove(turn, [[[start, ...say(0, call('{"zone":"UTC"}')), end]]]);
    expect((await collect(batches)).at(-1)).toMatchObject({ error: { details: { reason: 'tool_call_loop' } } });
    expect(asked).toHaveLength(1);
  });
});

describe('the second answer', () => {
  const bad: Attempt = [[start, ...think(0, 'hm'), ...say(1, 'No.')], [end]];

  it('passes on the error that ends it', async () => {
    const error = new TurnError('upstream_busy', 'Busy.', { layer: 'upstream' });
    const { batches } = prove(turnOf({ responseFormat: json }), [bad, [[start], [{ type: 'turn-error', error }]]]);
    expect(await collect(batches)).toEqual([start, ...think(0, 'hm'), { type: 'turn-error', error }]);
  });

  it('may not even begin', async () => {
    const error = new TurnError('upstream_busy', 'Busy.', { layer: 'upstream' });
    const fail = (): never => {
      throw error;
    };
    const { batches, log } = prove(turnOf({ responseFormat: json }), [bad, [fail]]);
    await expect(collect(batches)).rejects.toBe(error);
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it('is not asked for when the client has left', async () => {
    const leaving = new AbortController();
    const leave = (): void => leaving.abort();
    const { batches, log } = prove(turnOf({ responseFormat: json }), [[...bad, leave], bad], leaving.signal);
    await expect(collect(batches)).rejects.toMatchObject({ code: 'cancelled' });
    expect(log).toEqual(['begin 1', 'end 1']);
  });
});

describe('leaving early', () => {
  const bad: Attempt = [[start, ...think(0, 'hm')], say(1, 'No.'), [end]];

  it.each([1, 2])('ends the upstream call of attempt %d', async (number) => {
    const { batches, log } = prove(turnOf({ responseFormat: json }), [bad, bad]);
    let seen = 0;
    for await (const _batch of batches) if ((seen += 1) === number) break;
    expect(log.slice(-2)).toEqual([`begin ${number}`, `end ${number}`]);
  });
});
