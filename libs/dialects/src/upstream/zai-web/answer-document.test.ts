import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createAnswerDocument, type AnswerDocument } from './answer-document.ts';

const textOf = (document: AnswerDocument): string =>
  document
    .spans()
    .map(({ text }) => text)
    .join('');

describe('replaceTail', () => {
  it.each<[string, string, number, string, string]>([
    ['keeps what stands before its index', 'hello', 4, ' no', 'hell no'],
    ['appends at the end', 'hello', 5, '!', 'hello!'],
    ['takes an index beyond the end for the end', 'hello', 500, '!', 'hello!'],
    ['takes a negative index for the start', 'hello', -3, 'x', 'x'],
    ['cuts a fraction off the index', 'hello', 1.9, 'x', 'hx'],
    ['empties the document', 'hello', 0, '', ''],
    ['counts UTF-16 units', '🚀🚀hello', 5, 'x', '🚀🚀hx'],
    [
      'of a thinking tag counts code points when only they fit',
      '🚀<details done="false">x',
      16,
      'true">',
      '🚀<details done="true">',
    ],
    [
      'of a thinking tag counts units when they fit',
      '🚀<details done="false">x',
      17,
      'true">',
      '🚀<details done="true">',
    ],
    ['of a thinking tag that fits no reading counts units', '🚀abcdef', 4, 'true">', '🚀abtrue">'],
  ])('%s', (_name, before, index, text, after) => {
    const document = createAnswerDocument();
    document.append(before, 'answer');
    document.replaceTail(index, text, 'answer');
    expect(textOf(document)).toBe(after);
    expect(document.length).toBe(after.length);
  });

  it('says when it changed nothing, and keeps the phases then', () => {
    const document = createAnswerDocument();
    document.append('thought', 'thinking');
    document.append('answer', 'answer');
    expect(document.replaceTail(4, 'ghtanswer', 'other')).toBe(false);
    expect(document.replaceTail(13, '', 'other')).toBe(false);
    expect(document.spans()).toEqual([
      { text: 'thought', phase: 'thinking' },
      { text: 'answer', phase: 'answer' },
    ]);
    expect(document.replaceTail(4, 'ghtanswer!', 'other')).toBe(true);
  });

  it('forgets the phases of what it replaces', () => {
    const document = createAnswerDocument();
    document.append('aa', 'thinking');
    document.append('bb', 'tool_call');
    document.append('cc', 'answer');
    document.replaceTail(3, 'x', 'other');
    expect(document.spans()).toEqual([
      { text: 'aa', phase: 'thinking' },
      { text: 'b', phase: 'tool_call' },
      { text: 'x', phase: 'other' },
    ]);
  });
});

it('agrees with plain slicing for any appends and edits', () => {
  const phase = fc.constantFrom('thinking', 'answer', undefined);
  const step = fc.record({
    index: fc.option(fc.integer({ min: -2, max: 40 })),
    text: fc.string({ maxLength: 6 }),
    phase,
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const document = createAnswerDocument();
      let model = '';
      for (const { index, text, phase } of steps) {
        if (index === null) {
          document.append(text, phase);
          model += text;
        } else {
          const next = model.slice(0, Math.max(0, index)) + text;
          expect(document.replaceTail(index, text, phase)).toBe(next !== model);
          model = next;
        }
        expect(textOf(document)).toBe(model);
      }
      const spans = document.spans();
      expect(spans.every((span, at) => at === 0 || span.phase !== spans[at - 1]?.phase || span.text === '')).toBe(true);
    }),
  );
});
