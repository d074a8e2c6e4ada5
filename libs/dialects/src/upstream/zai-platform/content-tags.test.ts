import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createContentTags } from './content-tags.ts';

function read(pieces: readonly string[]): { reasoning: string; text: string } {
  const result = { reasoning: '', text: '' };
  const tags = createContentTags({
    reasoning: (text) => void (result.reasoning += text),
    text: (text) => void (result.text += text),
  });
  for (const piece of pieces) tags.push(piece);
  tags.end();
  return result;
}

describe('tags in content', () => {
  it('hold no blanks for long', () => {
    // Takes many minutes otherwise.
    const { text } = read(Array.from({ length: 500_000 }, () => '    '));
    expect(text).toHaveLength(2_000_000);
    expect(read([`${' '.repeat(300)}<think>x</think>`]).text).toContain('<think>x</think>');
  });

  it.each([
    ['plain', 'plain', ''],
    ['<think>why</think>what', 'what', 'why'],
    [' \n<think>\nwhy\n</think>\n\nwhat', 'what', 'why'],
    ['<think>why', '', 'why'],
    ['<think></think>what', 'what', ''],
    ['say <think>x</think>', 'say <think>x</think>', ''],
    ['<|begin_of_box|>3<|end_of_box|>', '3', ''],
    ['<thin', '<thin', ''],
    ['<', '<', ''],
    ['a <|end', 'a <|end', ''],
    ['\n  ', '', ''],
    ['\n  indented', '\n  indented', ''],
  ])('%j', (content, text, reasoning) => {
    expect(read([content])).toEqual({ text, reasoning });
    expect(read(Array.from(content))).toEqual({ text, reasoning });
  });

  it('are read alike however the content is cut', () => {
    const word = fc.constantFrom(
      '<think>',
      '</think>',
      '<|begin_of_box|>',
      '<|end_of_box|>',
      '<',
      '|',
      ' ',
      '\n',
      'a',
      '🤔',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 6 }), (words, at) => {
        const content = words.join('');
        const places = at.map((place) => place % (content.length + 1)).sort((a, b) => a - b);
        const cuts = [0, ...places, content.length];
        const pieces = cuts.slice(1).map((end, index) => content.slice(cuts[index], end));
        expect(read(pieces)).toEqual(read([content]));
      }),
    );
  });
});
