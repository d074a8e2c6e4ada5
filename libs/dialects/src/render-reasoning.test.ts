import { describe, expect, it } from '@jest/globals';
import {
  createEventChecker,
  foldEvents,
  reasoningRenderings,
  TurnError,
  type ReasoningRendering,
  type TurnEvent,
  type TurnResult,
} from '@zai2api/turn';
import fc from 'fast-check';
import { createReasoningStage } from './render-reasoning.ts';

const start: TurnEvent = { type: 'turn-start', id: 't', model: 'm', createdAt: 0, warnings: [] };
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent = { type: 'turn-end', reason: 'stop', usage };
const error: TurnEvent = { type: 'turn-error', error: new TurnError('internal', 'x', { layer: 'internal' }) };

/** One part of an answer; `deltas` are its pieces. */
type Part =
  | { readonly kind: 'reasoning'; readonly deltas: readonly string[]; readonly summary?: string | undefined }
  | { readonly kind: 'text' | 'tool-call'; readonly deltas: readonly string[] }
  | { readonly kind: 'source' };

function eventsOf(parts: readonly Part[]): TurnEvent[] {
  return parts.flatMap((part, block): TurnEvent[] => {
    switch (part.kind) {
      case 'source':
        return [{ type: 'source', url: 'https://a.example', title: '' }];
      case 'tool-call':
        return [
          { type: 'tool-call-start', block, callId: `c${block}`, name: 'f' },
          ...part.deltas.map((argumentsText): TurnEvent => ({ type: 'tool-call-delta', block, argumentsText })),
          { type: 'tool-call-end', block },
        ];
      case 'text':
        return [
          { type: 'text-start', block },
          ...part.deltas.map((text): TurnEvent => ({ type: 'text-delta', block, text })),
          { type: 'text-end', block },
        ];
      default:
        return [
          { type: 'reasoning-start', block },
          ...part.deltas.map((text): TurnEvent => ({ type: 'reasoning-delta', block, text })),
          { type: 'reasoning-end', block, ...(part.summary === undefined ? {} : { summary: part.summary }) },
        ];
    }
  });
}

function render(rendering: ReasoningRendering, events: readonly TurnEvent[]): TurnEvent[] {
  const shown = events.flatMap(createReasoningStage(rendering));
  const checker = createEventChecker();
  for (const event of shown) checker.push(event);
  checker.end();
  return shown;
}

const fold = (rendering: ReasoningRendering, parts: readonly Part[]): TurnResult =>
  foldEvents(render(rendering, [start, ...eventsOf(parts), end]));

const thought: Part = { kind: 'reasoning', deltas: ['a\n', 'b'], summary: 'Thought for 2 seconds' };
const answer: Part = { kind: 'text', deltas: ['c', '\nd'] };

describe('a thought and its answer', () => {
  it.each<[ReasoningRendering, string, string]>([
    ['separate', 'a\nb', 'c\nd'],
    ['think', '', '<think>a\nb</think>\n\nc\nd'],
    ['pure', '', '> a\n> b\n\nc\nd'],
    [
      'raw',
      '',
      '<details type="reasoning" open>\n> a\n> b\n<summary>Thought for 2 seconds</summary>\n</details>\n\nc\nd',
    ],
    ['none', '', 'c\nd'],
  ])('as %s', (rendering, reasoning, text) => {
    expect(fold(rendering, [thought, answer])).toMatchObject({ reasoning, text });
  });

  it('name a summary when the upstream sent none', () => {
    expect(fold('raw', [{ kind: 'reasoning', deltas: ['a'] }]).text).toContain('<summary>Thinking</summary>');
  });
});

describe('thought and text in one field', () => {
  it('are one block, also over two rounds', () => {
    const blocks = render('think', [start, ...eventsOf([thought, answer, thought, answer]), end]).filter(
      ({ type }) => type === 'text-start' || type === 'text-end',
    );
    expect(blocks.map(({ type }) => type)).toEqual(['text-start', 'text-end']);
  });

  it('are closed by a tool call and begun again behind it', () => {
    const call: Part = { kind: 'tool-call', deltas: ['{}'] };
    const types = render('think', [start, ...eventsOf([thought, call, answer]), end]).map(({ type }) => type);
    const starts = types.filter((type) => type.endsWith('-start') || type.endsWith('-end'));
    expect(starts).toEqual([
      'turn-start',
      'text-start',
      'text-end',
      'tool-call-start',
      'tool-call-end',
      'text-start',
      'text-end',
      'turn-end',
    ]);
  });

  it('are closed before a refusal', () => {
    const refusal: TurnEvent = { type: 'refusal', text: 'No.' };
    const types = render('pure', [start, ...eventsOf([thought]), refusal, end]).map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['text-end', 'refusal', 'turn-end']);
  });

  it('are left open by an error', () => {
    const events = render('think', [start, ...eventsOf([thought]).slice(0, 2), error]);
    expect(events.map(({ type }) => type)).toEqual([
      'turn-start',
      'text-start',
      'text-delta',
      'text-delta',
      'turn-error',
    ]);
  });
});

describe('any answer', () => {
  const deltas = fc.array(fc.constantFrom('a', '\n', '\n\n', '> ', '🚀', '</think>'), { maxLength: 4 });
  const part: fc.Arbitrary<Part> = fc.oneof(
    fc.record({ kind: fc.constant('reasoning' as const), deltas, summary: fc.constantFrom(undefined, 'S') }),
    fc.record({ kind: fc.constantFrom('text' as const, 'tool-call' as const), deltas }),
    fc.record({ kind: fc.constant('source' as const) }),
  );
  const parts = fc.array(part, { maxLength: 6 });
  const textOf = (all: readonly Part[], kind: Part['kind']): string =>
    all.map((each) => (each.kind === kind && 'deltas' in each ? each.deltas.join('') : '')).join('');

  it.each(reasoningRenderings)('keeps the order rules, its text, calls and sources as %s', (rendering) => {
    fc.assert(
      fc.property(parts, fc.boolean(), (all, isBroken) => {
        const events = eventsOf(all);
        if (isBroken) {
          render(rendering, [start, ...events.slice(0, -1), error]);
          return;
        }
        const result = fold(rendering, all);
        const plain = fold('separate', all);
        expect([result.toolCalls, result.sources, result.usage]).toEqual([plain.toolCalls, plain.sources, plain.usage]);
        expect(result.reasoning).toBe(rendering === 'separate' ? plain.reasoning : '');
        if (rendering === 'none' || rendering === 'separate') expect(result.text).toBe(textOf(all, 'text'));
      }),
    );
  });

  it.each(['think', 'pure', 'raw'] as const)('says as %s the same in any pieces', (rendering) => {
    const joined = (all: readonly Part[]): Part[] =>
      all.map((each) =>
        'deltas' in each ? { ...each, deltas: [each.deltas.join('')].filter((text) => text !== '') } : each,
      );
    fc.assert(
      fc.property(parts, (all) => {
        expect(fold(rendering, all).text).toBe(fold(rendering, joined(all)).text);
      }),
    );
  });

  it('as think can be taken apart again', () => {
    const one = fc.record({
      thought: fc.stringMatching(/^[a-z\n]{1,9}$/),
      text: fc.stringMatching(/^[a-z][a-z\n]{0,9}$/),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), (rounds) => {
        const all = rounds.flatMap(({ thought, text }): Part[] => [
          { kind: 'reasoning', deltas: [thought] },
          { kind: 'text', deltas: [text] },
        ]);
        const found = [...fold('think', all).text.matchAll(/<think>([^]*?)<\/think>\n\n([^<]*)/g)];
        // A further thought begins on a line of its own.
        const shown = rounds.map(({ thought, text }, index) => ({
          thought,
          text: index === rounds.length - 1 || text.endsWith('\n') ? text : `${text}\n\n`,
        }));
        expect(found.map(([, thought, text]) => ({ thought, text }))).toEqual(shown);
      }),
    );
  });
});
