import { describe, expect, it } from '@jest/globals';
import { readSearchFrame, readSearchResults, readSourceEvent } from './search-results.ts';

const page = { url: 'https://a.example/', title: 'A' };

describe('readSearchResults', () => {
  it.each<[unknown, unknown[]]>([
    [undefined, []],
    [{}, []],
    [[null, 'https://a.example/', 5, []], []],
    [[{ url: 'javascript:alert(1)' }, { url: 'ftp://a.example' }, { url: '/a' }, { url: '' }, { url: 5 }], []],
    [[{ url: ' https://a.example ', title: ' A\n b ' }], [{ url: 'https://a.example/', title: 'A b' }]],
    [[{ link: 'https://a.example/', name: 'A' }], [page]],
    [
      [{ url: 'https://a.example/b_(c) d', title: '' }],
      [{ url: 'https://a.example/b_%28c%29%20d', title: 'a.example' }],
    ],
    [[{ ...page, index: 3, ref_id: 'turn0search3' }], [{ ...page, index: 3, reference: 'turn0search3' }]],
    [
      [
        { ...page, index: 0, ref_id: '' },
        { ...page, index: '1', ref_id: 7 },
        { ...page, index: 1.5 },
      ],
      [page, page, page],
    ],
  ])('%j gives %j', (list, expected) => {
    expect(readSearchResults(list)).toEqual(expected);
  });
});

describe('readSearchFrame', () => {
  it.each<[Record<string, unknown>, number]>([
    [{ phase: 'search', results: [page] }, 1],
    [{ type: 'web_search', sources: [page], citations: [page] }, 2],
    [{ phase: 'answer', results: [page] }, 0],
    [{ results: [page] }, 0],
    [{ phase: 'search', results: 'none' }, 0],
  ])('%j names %d pages', (data, count) => {
    expect(readSearchFrame(data)).toHaveLength(count);
  });
});

describe('readSourceEvent', () => {
  it.each<[unknown, unknown[]]>([
    ['text', []],
    [page, [page]],
    [
      [page, [page]],
      [page, page],
    ],
    [{ source: page }, [page]],
    [{ source: { name: 'search' }, metadata: [{ source: 'https://a.example/', name: 'A' }, {}] }, [page]],
  ])('%j names %j', (data, expected) => {
    expect(readSourceEvent(data)).toEqual(expected);
  });
});
