import { describe, expect, it } from '@jest/globals';
import { createToolParser } from './tool-parser.ts';

/** The shown text, and the names of the calls, of a text that comes in pieces of this length. */
function read(text: string, length: number): { text: string; calls: string[] } {
  const shown: string[] = [];
  const calls: string[] = [];
  const parser = createToolParser({
    sink: {
      text: (piece) => void shown.push(piece),
      markup: () => undefined,
      begin: (name) => calls.push(name) > 0,
      grow: () => undefined,
      finish: () => undefined,
      unreadable: () => undefined,
    },
    tools: new Map([['f', { name: 'f', parameters: {}, strict: false }]]),
    tagsOnly: false,
  });
  for (let at = 0; at < text.length; at += length) parser.push(text.slice(at, at + length));
  parser.end(false);
  return { text: shown.join(''), calls };
}

// Each takes minutes when what is pending is looked through again for every character or piece.
describe('text that looks like calls', () => {
  it.each(['<', '< ', 'x`'])('is gone through once: %j', (piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    expect(read(text, Infinity).text === text).toBe(true);
  });

  it.each(['<tool_calls>', '<tool_call name="f">'])('is gone through once: %s and blanks', (tag) => {
    const blanks = ' '.repeat(1_000_000);
    expect(read(`${tag}${blanks}`, 4).calls.length).toBeLessThan(2);
    expect(read(`${tag}${' '.repeat(1_000)}<arguments>{}</arguments></tool_call>`, 4).calls).toEqual(
      tag.includes('name') ? ['f'] : [],
    );
  });
});
