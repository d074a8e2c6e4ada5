import { describe, expect, it } from '@jest/globals';
import type { TurnEvent } from '@zai2api/turn';
import fc from 'fast-check';
import { mergeDeltas } from './merge-deltas.ts';

const delta = (kind: 'text' | 'reasoning', block: number, text: string): TurnEvent => ({
  type: `${kind}-delta`,
  block,
  text,
});

describe('mergeDeltas', () => {
  it('joins neighbours of one block and nothing else', () => {
    const end: TurnEvent = { type: 'text-end', block: 1 };
    const batch = [
      delta('text', 1, 'a'),
      delta('text', 1, 'b'),
      end,
      delta('text', 2, 'c'),
      delta('reasoning', 2, 'd'),
    ];
    expect(mergeDeltas(batch)).toEqual([
      delta('text', 1, 'ab'),
      end,
      delta('text', 2, 'c'),
      delta('reasoning', 2, 'd'),
    ]);
  });

  it('keeps every character in its place', () => {
    const event = fc.oneof(
      fc
        .record({ kind: fc.constantFrom('text' as const, 'reasoning' as const), block: fc.nat(2), text: fc.string() })
        .map((part) => delta(part.kind, part.block, part.text)),
      fc.constant<TurnEvent>({ type: 'source', url: 'https://example.org', title: 'x' }),
    );
    const characters = (events: readonly TurnEvent[]): string[] =>
      events.flatMap((each) =>
        'text' in each && 'block' in each
          ? Array.from(each.text).map((character) => `${each.type} ${each.block} ${character}`)
          : [each.type],
      );
    fc.assert(
      fc.property(fc.array(event), (events) => {
        expect(characters(mergeDeltas(events))).toEqual(characters(events));
      }),
    );
  });
});
