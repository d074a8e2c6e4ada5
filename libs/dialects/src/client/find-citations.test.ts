import { describe, expect, it } from '@jest/globals';
import { findCitations } from './find-citations.ts';

const url = 'http://x/a';

describe('findCitations', () => {
  it.each([
    ['nothing here', []],
    ['[[1]](http://x/b)', []],
    ['[1](http://x/a) 1]](http://x/a) [[a]](http://x/a) [[]](http://x/a)', []],
    ['[[1]](http://x/a)', [[0, 17]]],
    [
      'a😀[[12]](http://x/a), [[3]](http://x/a)',
      [
        [2, 20],
        [22, 39],
      ],
    ],
    [
      '[[[1]](http://x/a)[[2]](http://x/a)',
      [
        [1, 18],
        [18, 35],
      ],
    ],
  ])('in %j are %j', (text, places) => {
    expect(findCitations(text, url).map(({ start, end }) => [start, end])).toEqual(places);
  });

  it('do not make it look at the whole text for each', () => {
    // Takes many minutes otherwise.
    expect(findCitations('[[1]](http://x/a)'.repeat(200_000), url)).toHaveLength(200_000);
    expect(findCitations('](http://x/a)'.repeat(200_000), url)).toEqual([]);
  });
});
