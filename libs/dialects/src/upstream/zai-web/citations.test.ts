import { describe, expect, it } from '@jest/globals';
import { createCitations } from './citations.ts';

const page = (name: string, index?: number, reference?: string) => ({
  url: `https://${name}.example/`,
  title: name,
  ...(index !== undefined && { index }),
  ...(reference !== undefined && { reference }),
});

describe('citations', () => {
  it('tell each page once', () => {
    const citations = createCitations();
    citations.add([page('a'), page('b')]);
    citations.add([page('a')]);
    expect(citations.take()).toEqual([
      { type: 'source', url: 'https://a.example/', title: 'a' },
      { type: 'source', url: 'https://b.example/', title: 'b' },
    ]);
    citations.add([page('b'), page('c')]);
    expect(citations.take()).toHaveLength(1);
    expect(citations.take()).toEqual([]);
  });

  it('take the upstream’s numbers as long as they are free', () => {
    const citations = createCitations();
    citations.add([page('a', 2, 'turn0search2'), page('b', 2, 'turn1search2'), page('c', undefined, 'turn1search3')]);
    expect(['turn0search2', 'turn1search2', 'turn1search3'].map((name) => citations.link(name))).toEqual([
      '[[2]](https://a.example/)',
      '[[3]](https://b.example/)',
      '[[4]](https://c.example/)',
    ]);
  });

  it('never change what a reference means', () => {
    const citations = createCitations();
    expect(citations.link('turn0search1')).toBe('');
    citations.add([page('a', 1, 'turn0search1'), page('b', 2, 'turn0search2')]);
    citations.add([page('c', 3, 'turn0search2')]);
    expect(citations.link('turn0search1')).toBe('');
    expect(citations.link('turn0search2')).toBe('[[2]](https://b.example/)');
  });
});
