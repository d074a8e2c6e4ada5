import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createCitationFilter } from './citations-filter.ts';

type Call = readonly ['reasoning' | 'text', string];

/** What a client would see: neighbouring pieces of one kind joined. */
function filter(calls: readonly Call[]): string[] {
  const shown: string[] = [];
  let last: string | undefined;
  const show = (kind: string, text: string): void => {
    expect(text).not.toBe('');
    if (last === kind) shown.push(`${shown.pop() ?? ''}${text}`);
    else shown.push(`${kind}: ${text}`);
    last = kind;
  };
  const citations = createCitationFilter(
    {
      reasoning: (text) => show('reasoning', text),
      text: (text) => show('text', text),
      endReasoning: () => show('end', '.'),
    },
    (reference) => (reference === 'turn0search1' ? '[[1]](u)' : ''),
  );
  for (const [kind, text] of calls) citations[kind](text);
  citations.end();
  return shown;
}

describe('a citation filter', () => {
  it.each([
    ['As 【turn0search1】.', ['text: As [[1]](u).']],
    ['【turn0search1】【turn9click0】【turn0search1】', ['text: [[1]](u)[[1]](u)']],
    ['【turn9click0】', []],
    ['', []],
    [
      '【注】【turn】【turn0】【turn0search】【Turn0search1】',
      ['text: 【注】【turn】【turn0】【turn0search】【Turn0search1】'],
    ],
    ['【turn0searchsearchsearch1】', ['text: 【turn0searchsearchsearch1】']],
    ['【【turn0search1】】', ['text: 【[[1]](u)】']],
    ['【turn0sear', ['text: 【turn0sear']],
  ])('makes %s to %j', (text, shown) => {
    expect(filter([['text', text]])).toEqual(shown);
  });

  it('gives the same at every cut', () => {
    const text = 'As 【turn0search1】【turn9click0】 or 【注】 and 【turn0search1】';
    for (let cut = 0; cut <= text.length; cut++) {
      const pieces: Call[] = [text.slice(0, cut), text.slice(cut)].filter(Boolean).map((piece) => ['text', piece]);
      expect(filter(pieces)).toEqual(['text: As [[1]](u) or 【注】 and [[1]](u)']);
    }
  });

  it('gives the same however it is cut, and keeps both kinds in order', () => {
    const part = fc.constantFrom(
      '【turn0search1】',
      '【turn1click2】',
      '【',
      '】',
      'turn',
      '0',
      'search',
      '1',
      'a',
      '\n',
      '😀',
    );
    const spoken = fc.tuple(fc.constantFrom('reasoning' as const, 'text' as const), fc.array(part, { minLength: 1 }));
    fc.assert(
      fc.property(fc.array(spoken), (list) => {
        const whole = list.map(([kind, parts]): Call => [kind, parts.join('')]);
        const units = whole.flatMap(([kind, text]) => text.split('').map((unit): Call => [kind, unit]));
        expect(filter(units)).toEqual(filter(whole));
      }),
    );
  });

  it('holds back 20 characters at most', () => {
    let shown = '';
    const citations = createCitationFilter(
      { reasoning: () => undefined, text: (text) => (shown += text), endReasoning: () => undefined },
      () => '',
    );
    let pushed = '';
    for (const unit of '【turn123abcdefghij1234】') {
      citations.text(unit);
      pushed += unit;
      expect(pushed.length - shown.length).toBeLessThanOrEqual(21);
    }
    expect(shown).toBe(pushed);
  });

  it('says what it holds before a thought ends', () => {
    const order: string[] = [];
    const citations = createCitationFilter(
      {
        reasoning: (text) => order.push(text),
        text: (text) => order.push(text),
        endReasoning: () => order.push('end'),
      },
      () => '',
    );
    citations.reasoning('【turn');
    citations.endReasoning(undefined);
    expect(order).toEqual(['【turn', 'end']);
  });
});
