import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createEventChecker, foldEvents, TurnError, type TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { createZaiPlatformDecoder } from './decode-stream.ts';

const root = new URL('../../../fixtures/turns/', import.meta.url);
const recordings = globSync('*/zai-platform.sse', { cwd: root }).map((path) => readFileSync(new URL(path, root)));

function decode(chunks: readonly Uint8Array[], takesCalls = true): TurnEvent[] {
  const decoder = createZaiPlatformDecoder({
    model: 'asked',
    warnings: [],
    prompt: () => 'prompt',
    takesCalls,
    context: { now: () => 0, newId: () => 'id', countTokens: (text) => text.length },
  });
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
}

function outcomeOf(events: readonly TurnEvent[]): unknown {
  const checker = createEventChecker();
  for (const event of events) checker.push(event);
  checker.end();
  try {
    return foldEvents(events);
  } catch (error) {
    if (!TurnError.is(error)) throw error;
    return [error.code, error.message];
  }
}

describe('a damaged recording', () => {
  const damage = fc.record({
    kind: fc.constantFrom('flip', 'drop', 'duplicate', 'cut'),
    at: fc.nat(),
    size: fc.integer({ min: 1, max: 40 }),
    bits: fc.integer({ min: 1, max: 255 }),
  });

  it('ends in exactly one end and says the same at every cut, whatever happened to its bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...recordings),
        fc.array(damage, { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (original, damages, cuts) => {
          let bytes = [...original];
          for (const { kind, at, size, bits } of damages) {
            const place = at % (bytes.length + 1);
            if (kind === 'flip' && place < bytes.length) bytes[place] = bytes[place]! ^ bits;
            if (kind === 'drop') bytes.splice(place, size);
            if (kind === 'duplicate') bytes.splice(place, 0, ...bytes.slice(place, place + size));
            if (kind === 'cut') bytes = bytes.slice(0, place);
          }
          const sorted = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other)];
          const pieces = sorted.map((start, index) => Uint8Array.from(bytes.slice(start, sorted[index + 1])));
          expect(outcomeOf(decode(pieces))).toEqual(outcomeOf(decode([Uint8Array.from(bytes)])));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('an answer', () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

  it('carries the name that was asked for and ids of ours', () => {
    const [start] = decode([encode('data: {"id":"theirs","model":"glm","choices":[{"delta":{"content":"hi"}}]}\n\n')]);
    expect(start).toMatchObject({ type: 'turn-start', id: 'id', model: 'asked' });
  });

  it('is complete with its reason to finish, before the end of the stream', () => {
    const decoder = createZaiPlatformDecoder({
      model: 'm',
      warnings: [],
      prompt: () => '',
      takesCalls: false,
      context: { now: () => 0, newId: () => 'id', countTokens: () => 0 },
    });
    decoder.push(encode('data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'));
    expect(decoder.complete).toBe(false);
    decoder.push(encode('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'));
    expect(decoder.complete).toBe(true);
    expect(decoder.end().at(-1)).toMatchObject({ type: 'turn-end', reason: 'stop' });
  });
});

describe('frames that only append', () => {
  const piece = fc.constantFrom(
    'a',
    'bc ',
    ' ',
    '\n',
    '"',
    '\\',
    '<',
    '<think>',
    '</think>',
    '<|begin_of_box|>',
    'ö🚀',
    '\u2028',
    '',
  );
  const frame = fc.oneof(
    { weight: 8, arbitrary: fc.record({ content: piece }) },
    { weight: 4, arbitrary: fc.record({ reasoning_content: piece }) },
    fc.record({ role: fc.constant('assistant'), content: piece, reasoning_content: piece }),
    fc.constant({ tool_calls: [{ id: 'c', index: 0, function: { name: 'f', arguments: '{}' } }] }),
  );
  /** `mark` makes each frame another one, so that none of them is known by its form. */
  const write = (delta: unknown, finish: string | null, mark?: number): string =>
    `data: ${JSON.stringify({ id: 'i', created: 1, ...(mark !== undefined && { mark }), choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

  it('say the same whether they are parsed or known by their form, at any number to a chunk', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 30 }), fc.array(fc.integer({ min: 1, max: 9 })), (deltas, sizes) => {
        const ending = write({ content: '' }, 'stop');
        const known = [...deltas.map((delta) => write(delta, null)), ending];
        const parsed = [...deltas.map((delta, index) => write(delta, null, index)), ending];
        const chunks: Uint8Array[] = [];
        for (let from = 0, turn = 0; from < known.length; turn += 1) {
          const size = sizes[turn % Math.max(1, sizes.length)] ?? 1;
          chunks.push(new TextEncoder().encode(known.slice(from, from + size).join('')));
          from += size;
        }
        const expected = outcomeOf(decode(parsed.map((text) => new TextEncoder().encode(text))));
        expect(outcomeOf(decode(chunks))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
