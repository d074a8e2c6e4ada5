import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Phase } from './answer-document.ts';
import { createDocumentParser } from './document-parser.ts';

type Piece = readonly [phase: Phase, text: string];

/** What a reader hears, neighbours of one kind joined: `r:` reasoning, `t:` text, `|summary` the end of a thought. */
function read(pieces: readonly Piece[]): string[] {
  const heard: string[] = [];
  const hear = (kind: string, text: string): void => {
    const last = heard.at(-1);
    if (last?.startsWith(kind)) heard[heard.length - 1] = last + text;
    else heard.push(kind + text);
  };
  const parser = createDocumentParser({
    reasoning: (text) => hear('r:', text),
    text: (text) => hear('t:', text),
    // An end behind an end says nothing new.
    endReasoning: (summary) => heard.at(-1)?.startsWith('|') !== true && heard.push(`|${summary ?? ''}`),
  });
  for (const [phase, text] of pieces) parser.push(text, phase);
  parser.end();
  return heard;
}

const head = '<details type="reasoning" done="false">\n<summary>Thinking…</summary>\n';
const block = '<glm_block view="" tool_call_name="search">{"a":"<b></glm>"}</glm_block>';

describe('the document', () => {
  it.each<[string, readonly Piece[], string[]]>([
    ['answer text', [['answer', 'a < b > c\n> d']], ['t:a < b > c\n> d']],
    [
      'a thought and its answer',
      [
        ['thinking', `${head}> a\n> b\n</details>\n`],
        ['answer', 'c'],
      ],
      ['r:a\nb', '|Thinking…', 't:c'],
    ],
    [
      'a thought that ends in an answer frame',
      [
        ['thinking', `${head}> a`],
        ['answer', '\n</details>\nc'],
      ],
      ['r:a', '|Thinking…', 't:c'],
    ],
    [
      'a thought without a summary',
      [
        ['thinking', '<details type="reasoning">\n> a\n</details>'],
        ['answer', 'c'],
      ],
      ['r:a', '|', 't:c'],
    ],
    ['a thought without quote markers', [['thinking', `${head}a\nb\n</details>`]], ['r:a\nb', '|Thinking…']],
    ['empty lines in a thought', [['thinking', `${head}> a\n>\n> \n> b\n</details>`]], ['r:a\n\n\nb', '|Thinking…']],
    ['a quotation in a thought', [['thinking', `${head}> > a\n> b > c\n</details>`]], ['r:> a\nb > c', '|Thinking…']],
    [
      'a thought that ends with what could begin a tag',
      [
        ['thinking', `${head}> a <`],
        ['answer', 'c'],
      ],
      ['r:a <', '|Thinking…', 't:c'],
    ],
    [
      'a thought that ends in a quote marker',
      [
        ['thinking', `${head}> a\n>`],
        ['answer', 'c'],
      ],
      ['r:a', '|Thinking…', 't:c'],
    ],
    [
      'a bare thought that ends with what could begin a tag',
      [
        ['thinking', 'a </'],
        ['answer', 'c'],
      ],
      ['r:a </', '|', 't:c'],
    ],
    [
      'a bare thought that ends in a quote marker',
      [
        ['thinking', 'a\n>'],
        ['answer', 'c'],
      ],
      ['r:a', '|', 't:c'],
    ],
    ['a thought that is cut behind what could begin its end', [['thinking', `${head}> a</`]], ['r:a']],
    [
      'a thought of nothing',
      [
        ['thinking', `${head}> \n</details>\n`],
        ['answer', 'c'],
      ],
      ['|Thinking…', 't:c'],
    ],
    [
      'a summary that is cut off',
      [
        ['thinking', '<details type="reasoning">\n<summary>Thin'],
        ['answer', 'c'],
      ],
      ['|', 't:c'],
    ],
    [
      'a summary that goes on in the answer frame',
      [
        ['thinking', '<details type="reasoning">\n<summary>Thin'],
        ['answer', 'king</summary>\n> a\n</details>\nc'],
      ],
      ['r:a', '|Thinking', 't:c'],
    ],
    [
      'a summary that never ends',
      [['thinking', `<details type="reasoning">\n<summary>${'x'.repeat(600)}\n> a`]],
      [`r:${'x'.repeat(600)}\na`],
    ],
    [
      'remnants behind a thought',
      [
        ['thinking', 'a'],
        ['answer', '</thinking>\n<Full>c'],
      ],
      ['r:a', '|', 't:c'],
    ],
    ['remnants in a thought', [['thinking', `${head}> a</thinking>b<Full>\n</details>`]], ['r:ab', '|Thinking…']],
    [
      'HTML details in an answer',
      [['answer', '<details><summary>s</summary>x</details>']],
      ['t:<details><summary>s</summary>x</details>'],
    ],
    [
      'HTML details right behind a thought',
      [
        ['thinking', `${head}> a\n</details>\n`],
        ['answer', '<details>x</details>y'],
      ],
      ['r:a', '|Thinking…', 't:<details>x</details>y'],
    ],
    [
      'a second </details> behind a thought',
      [
        ['thinking', `${head}> a\n</details>\n`],
        ['answer', '</details>\nb'],
      ],
      ['r:a', '|Thinking…', 't:b'],
    ],
    ['a tool block in an answer', [['answer', `a${block}b`]], ['t:ab']],
    ['a tool block in a thought', [['thinking', `${head}> a${block}b\n</details>`]], ['r:ab', '|Thinking…']],
    [
      'a tool block of its own phase',
      [
        ['answer', 'a'],
        ['tool_call', `\n\n${block}\n`],
        ['answer', 'b'],
      ],
      ['t:ab'],
    ],
    ['two tool blocks', [['answer', `a${block}${block}b`]], ['t:ab']],
    ['a tool block that is never closed', [['answer', 'a<glm_block x>{"b"']], ['t:a']],
    [
      'a word that only begins like a tag',
      [['answer', '<glm_blocks> <detailsx type="reasoning">']],
      ['t:<glm_blocks> <detailsx type="reasoning">'],
    ],
    ['the beginning of a tag at the end', [['answer', 'a <det']], ['t:a <det']],
    ['the beginning of a thought at the end', [['answer', 'a<details type="rea']], ['t:a']],
    [
      'text of hidden phases',
      [
        ['tool_response', 'x'],
        ['search', 'y'],
        ['planning', 'z'],
        ['other', 'a'],
      ],
      ['t:a'],
    ],
    ['nothing', [], []],
  ])('%s', (_name, pieces: readonly Piece[], heard: string[]) => {
    expect(read(pieces)).toEqual(heard);
  });

  it('holds back at most one tag', () => {
    const text = `<details ${'x'.repeat(600)}`;
    let length = 0;
    const parser = createDocumentParser({
      reasoning: () => undefined,
      text: (shown) => (length += shown.length),
      endReasoning: () => undefined,
    });
    for (const character of text) parser.push(character, 'answer');
    expect(text.length - length).toBeLessThan(512);
  });
});

it('reads a thought and its answer the same in any pieces', () => {
  const thought = `${head}> a <b> ${block}\n> > c\n>\n> <details>d</details`;
  const answer = `<details>e</details> </b>${block} <`;
  const cut = (phase: Phase, text: string, at: readonly number[]): Piece[] => {
    const places = [0, ...at.map((place) => place % text.length).sort((one, other) => one - other)];
    return places.map((start, index) => [phase, text.slice(start, places[index + 1])]);
  };
  const places = fc.array(fc.nat(), { maxLength: 8 });
  fc.assert(
    fc.property(places, places, (one, other) => {
      const heard = read([...cut('thinking', `${thought}\n</details>\n`, one), ...cut('answer', answer, other)]);
      expect(heard).toEqual(['r:a <b> \n> c\n\n<details>d</details', '|Thinking…', 't:<details>e</details> </b> <']);
    }),
  );
});

it('takes any pieces in any phases', () => {
  const marks = [
    '<details type="reasoning">',
    '</details>',
    '<summary>',
    '</summary>',
    '<glm_block >',
    '</glm_block>',
    '> ',
    '>',
    '\n',
    '<',
    'x',
  ];
  const phases: Phase[] = ['thinking', 'answer', 'tool_call', 'other', undefined];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...phases), fc.constantFrom(...marks))), (pieces) => {
      const shown = read(pieces)
        .filter((heard) => !heard.startsWith('|'))
        .join('');
      expect(shown).not.toContain('<details type="reasoning"');
      expect(shown).not.toContain('<glm_block ');
    }),
  );
});
