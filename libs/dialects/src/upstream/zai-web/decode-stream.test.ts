import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createEventChecker, foldEvents, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { createZaiWebDecoder } from './decode-stream.ts';

function decodeBytes(chunks: Iterable<Uint8Array>): TurnEvent[] {
  const decoder = createZaiWebDecoder({
    model: 'glm-4.6',
    warnings: [],
    prompt: 'What is it?',
    chatCreated: true,
    context: { now: () => 1_764_000_000_000, newId: () => 'turn', countTokens: (text) => text.length },
  });
  const events: TurnEvent[] = [];
  for (const chunk of chunks) events.push(...decoder.push(chunk));
  events.push(...decoder.end());
  expect(decoder.end()).toEqual([]);
  expect(decoder.push(Uint8Array.of(100))).toEqual([]);
  return events;
}

function expectOrder(events: readonly TurnEvent[]): void {
  const checker = createEventChecker();
  for (const event of events) checker.push(event);
  checker.end();
}

function expectNoMarkup(events: readonly TurnEvent[]): void {
  for (const event of events)
    if ('text' in event) expect(event.text).not.toMatch(/<details type="reasoning"|<glm_block /);
}

const places = fc.array(fc.nat(), { maxLength: 10 });

function cutBytes(text: string, at: readonly number[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const sorted = [0, ...at.map((place) => place % (bytes.length + 1)).sort((one, other) => one - other)];
  return sorted.map((start, index) => bytes.subarray(start, sorted[index + 1]));
}

/** Cuts between characters, as the upstream does. */
function cutText(text: string, at: readonly number[]): string[] {
  const characters = Array.from(text);
  const sorted = [0, ...at.map((place) => place % (characters.length + 1)).sort((one, other) => one - other)];
  return sorted
    .map((start, index) => characters.slice(start, sorted[index + 1]).join(''))
    .filter((piece) => piece !== '');
}

const frame = (data: unknown): string => `data: ${JSON.stringify({ type: 'chat:completion', data })}\n\n`;
const delta = (phase: string, text: string): string => frame({ delta_content: text, phase });
const edit = (phase: string, index: number, text: string): string =>
  frame({ edit_index: index, edit_content: text, phase });
const quote = (thought: string): string =>
  thought
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');

const usage = { prompt_tokens: 34, completion_tokens: 20 };
const endings = [
  frame({ done: true, delta_content: '', phase: 'done' }),
  `${frame({ usage, phase: 'other' })}${frame({ done: true, delta_content: '', phase: 'done' })}data: [DONE]\n\n`,
  'data: [DONE]\n\n',
  'data: {"data":"[DONE]","type":"chat:completion"}\n\n',
  '',
];

const thoughtPieces = [
  'a',
  'word ',
  '\n',
  '\n\n',
  '> ',
  '>',
  '<',
  '</',
  '<b>',
  '<details>',
  '<summary>',
  '</summary>',
  '🚀',
  '你',
  '"',
  '\\',
  ' ',
];
const thoughtText = fc
  .array(fc.constantFrom(...thoughtPieces), { minLength: 1, maxLength: 12 })
  .map((pieces) => pieces.join('').replace(/^\n+|\n+$/g, ''))
  .filter((text) => text !== '' && !text.includes('</details>'));
const answerPieces = [...thoughtPieces, '<det', '</details>', '</thinking>', '<Full>', '<glm', 'true"', '```'];
/** Line breaks and remnants at the start belong to the thought (protocol 5.5). */
const answerText = fc
  .array(fc.constantFrom(...answerPieces), { minLength: 1, maxLength: 12 })
  .map((pieces) => pieces.join('').replace(/^(?:\n|<\/details>|<\/thinking>|<Full>)+/, ''))
  .filter((text) => text !== '');

describe('a written answer', () => {
  interface Round {
    readonly thought: string;
    readonly text: string;
    /** How the thought ends: by the edit of protocol 5.3, in a thinking frame, in an answer frame, or by the phase alone. */
    readonly close: 'edit' | 'thinking' | 'answer' | 'phase';
    /** How much of the text the closing edit brings along. */
    readonly early: number;
    readonly isEncoded: boolean;
    readonly cuts: readonly number[];
  }
  const round: fc.Arbitrary<Round> = fc.record({
    thought: fc.oneof(thoughtText, fc.constant('')),
    text: answerText,
    close: fc.constantFrom('edit' as const, 'thinking' as const, 'answer' as const, 'phase' as const),
    early: fc.nat(12),
    isEncoded: fc.boolean(),
    cuts: places,
  });
  // Where the phase alone ends a thought, what looks like its own end, whole or begun, is taken for it.
  const rounds = fc.array(round, { minLength: 1, maxLength: 3 }).filter((parts) => {
    const ended = parts.filter(({ thought, close }) => thought !== '' && close === 'phase');
    if (ended.some(({ thought }) => /<\/?$/.test(thought))) return false;
    return ended.length === 0 || !parts.some(({ text }) => /<\/details>|^\s*<?\/?$/.test(text));
  });

  function write(rounds: readonly Round[], unit: 'utf-16' | 'code-points'): string {
    let document = '';
    let frames = '';
    const append = (phase: string, text: string, cuts: readonly number[]): void => {
      for (const piece of cutText(text, cuts)) frames += delta(phase, piece);
      document += text;
    };
    for (const { thought, text, close, early, isEncoded, cuts } of rounds) {
      let rest = text;
      if (thought !== '') {
        const start = document === '' ? '' : '\n';
        append(
          'thinking',
          `${start}<details type="reasoning" done="false" view="">\n<summary>Thinking…</summary>\n${quote(thought)}`,
          cuts,
        );
        if (close === 'thinking') append('thinking', '\n</details>\n', cuts);
        if (close === 'answer') append('answer', '\n</details>\n', cuts);
        if (close === 'edit') {
          const kept = document.slice(0, document.lastIndexOf('done="') + 'done="'.length);
          const [head = ''] = cutText(rest, [early]);
          rest = rest.slice(head.length);
          const tail = `true" duration="2" view="">\n<summary>Thought for 2 seconds</summary>\n${quote(thought)}\n</details>\n${head}`;
          frames += edit(
            'answer',
            unit === 'utf-16' ? kept.length : Array.from(kept).length,
            isEncoded ? JSON.stringify(tail) : tail,
          );
          document = kept + tail;
        }
      }
      append('answer', rest, cuts);
    }
    return frames;
  }

  it('is decoded to its thoughts and its text, however its frames and bytes are cut', () => {
    const unit = fc.constantFrom('utf-16' as const, 'code-points' as const);
    fc.assert(
      fc.property(rounds, unit, fc.constantFrom(...endings), places, (parts, indexUnit, ending, cuts) => {
        const events = decodeBytes(cutBytes(write(parts, indexUnit) + ending, cuts));
        expectOrder(events);
        const { reasoning, text } = foldEvents(events);
        expect({ reasoning, text }).toEqual({
          reasoning: parts
            .map(({ thought }) => thought)
            .filter((thought) => thought !== '')
            .join('\n\n'),
          text: parts.map((part) => part.text).join(''),
        });
        for (const event of events) if ('text' in event) expect(event.text.isWellFormed()).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('edits', () => {
  const pieces = [
    '<details type="reasoning">',
    '</details>',
    '\n',
    '> ',
    '<summary>s</summary>',
    '<glm_block >',
    '</glm_block>',
    'true"',
    '<',
    'a',
    '🚀',
    '🚁',
    'done="',
  ];
  const step = fc.record({
    index: fc.option(fc.oneof(fc.integer({ min: -3, max: 80 }), fc.constantFrom(1.5, 1e9))),
    text: fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map((parts) => parts.join('')),
    phase: fc.constantFrom('thinking', 'answer', 'tool_call', 'other', 'done'),
  });

  it('of any kind keep the order rules and leak no markup', () => {
    fc.assert(
      fc.property(fc.array(step), fc.constantFrom(...endings), (steps, ending) => {
        const frames = steps.map(({ index, text, phase }) =>
          index === null ? delta(phase, text) : edit(phase, index, text),
        );
        const events = decodeBytes(cutBytes(frames.join('') + ending, []));
        expectOrder(events);
        expectNoMarkup(events);
      }),
      { numRuns: 150 },
    );
  });

  it('that resend or extend lose nothing and repeat nothing', () => {
    const writing = fc.record({
      thought: thoughtText,
      text: answerText,
      cuts: places,
      resends: fc.array(fc.option(fc.nat()), { minLength: 12, maxLength: 12 }),
    });
    fc.assert(
      fc.property(writing, places, ({ thought, text, cuts, resends }, chunkCuts) => {
        const thinking = `<details type="reasoning" done="true">\n<summary>Thought for 2 seconds</summary>\n${quote(thought)}\n</details>\n`;
        let document = '';
        let frames = '';
        for (const [step, piece] of cutText(thinking + text, cuts).entries()) {
          const from = resends[step];
          const next = document + piece;
          const phase = next.length <= thinking.length ? 'thinking' : 'answer';
          if (from === null || from === undefined) {
            frames += delta(phase, piece);
          } else {
            const kept = Array.from(document)
              .slice(0, from % (document.length + 1))
              .join('');
            const tail = next.slice(kept.length);
            // What begins with a quotation mark may be read as encoded once more (protocol 5.4), so it is.
            frames += edit(phase, kept.length, tail.startsWith('"') ? JSON.stringify(tail) : tail);
          }
          document = next;
        }
        const events = decodeBytes(cutBytes(frames + endings[1]!, chunkCuts));
        expectOrder(events);
        const result = foldEvents(events);
        expect([result.reasoning, result.text]).toEqual([thought, text]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('an edit between quotation marks', () => {
  const textOf = (content: string): string => foldEvents(decodeBytes(cutBytes(edit('answer', 0, content), []))).text;

  it.each([
    ['is the answer’s own quotation', '"Hello"', '"Hello"'],
    ['is a word of an answer', '"Hello" he said', '"Hello" he said'],
    ['is encoded once more when it has escapes', '"Say \\"hi\\"\\n"', 'Say "hi"\n'],
  ])('%s', (_name, content, text) => {
    expect(textOf(content)).toBe(text);
  });
});

describe('an error on the last frame of a counted answer', () => {
  const error = { code: 'INTERNAL_ERROR', detail: 'Oops, something went wrong' };

  it.each([
    ['means nothing', { done: true, error }, 'turn-end'],
    ['means nothing one level down', { data: { done: true, error } }, 'turn-end'],
    ['ends the turn when it does not pass', { done: true, error: { code: 401 } }, 'turn-error'],
    ['ends the turn when it is not the last frame', { error }, 'turn-error'],
  ])('%s', (_name, data, type) => {
    const frames = delta('answer', 'a') + frame({ usage, phase: 'other' }) + frame(data);
    expect(decodeBytes(cutBytes(frames, [])).at(-1)?.type).toBe(type);
  });
});

describe('a damaged recording', () => {
  const root = new URL('../../../fixtures/turns/', import.meta.url);
  const recordings = globSync('*/zai-web.sse', { cwd: root }).map((path) => readFileSync(new URL(path, root)));
  const recording = fc.constantFrom(...recordings);

  function expectOneEnd(events: readonly TurnEvent[]): void {
    expectOrder(events);
    expect(events.filter(({ type }) => type === 'turn-end' || type === 'turn-error')).toHaveLength(1);
  }

  /** The events without how their text was cut: plain deltas that come together are one event. */
  const joinDeltas = (events: readonly TurnEvent[]): TurnEvent[] =>
    events.reduce<TurnEvent[]>((joined, event) => {
      const last = joined.at(-1);
      if (!(event.type === 'text-delta' || event.type === 'reasoning-delta') || last?.type !== event.type)
        return [...joined, event];
      return [...joined.slice(0, -1), { ...last, text: last.text + event.text }];
    }, []);

  const damage = fc.record({
    kind: fc.constantFrom('flip', 'drop', 'duplicate', 'cut'),
    at: fc.nat(),
    size: fc.integer({ min: 1, max: 40 }),
    bits: fc.integer({ min: 1, max: 255 }),
  });

  it('ends in exactly one end, whatever happened to its bytes', () => {
    fc.assert(
      fc.property(recording, fc.array(damage, { minLength: 1, maxLength: 4 }), places, (original, damages, cuts) => {
        let bytes = [...original];
        for (const { kind, at, size, bits } of damages) {
          const place = at % (bytes.length + 1);
          if (kind === 'flip' && place < bytes.length) bytes[place] = bytes[place]! ^ bits;
          if (kind === 'drop') bytes.splice(place, size);
          if (kind === 'duplicate') bytes.splice(place, 0, ...bytes.slice(place, place + size));
          if (kind === 'cut') bytes = bytes.slice(0, place);
        }
        const sorted = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other)];
        const whole = decodeBytes([Uint8Array.from(bytes)]);
        expectOneEnd(whole);
        const cut = decodeBytes(sorted.map((start, index) => Uint8Array.from(bytes.slice(start, sorted[index + 1]))));
        expect(joinDeltas(cut)).toEqual(joinDeltas(whole));
      }),
      { numRuns: 150 },
    );
  });

  it('shows no markup of the upstream when whole frames were lost, repeated or moved', () => {
    fc.assert(
      fc.property(
        recording,
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (original, damages, isCut) => {
          const frames = original.toString().split(/(?<=\n\n|\r\n\r\n)/);
          for (const { kind, at, size } of damages) {
            const place = at % (frames.length + 1);
            const taken = frames.splice(place, kind === 'duplicate' ? 0 : 1);
            if (kind === 'duplicate') frames.splice(place, 0, ...frames.slice(place, place + 1));
            if (kind === 'flip') frames.splice(size % (frames.length + 1), 0, ...taken);
          }
          const text = frames.join('');
          const events = decodeBytes([Buffer.from(isCut ? text.slice(0, -7) : text)]);
          expectOneEnd(events);
          expectNoMarkup(events);
        },
      ),
      { numRuns: 150 },
    );
  });
});
