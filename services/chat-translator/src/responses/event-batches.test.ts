import { describe, expect, it } from '@jest/globals';
import { framesFrom, joinBatches } from './event-batches.ts';

describe('a batch of events', () => {
  const batch = { first: 3, last: 5, text: 'event: 3\n\nevent: 4\n\nevent: 5\n\n' };

  it.each([
    [0, batch.text],
    [3, batch.text],
    [4, 'event: 4\n\nevent: 5\n\n'],
    [5, 'event: 5\n\n'],
    [6, ''],
  ])('from number %i on', (from, text) => {
    expect(framesFrom(batch, from)).toBe(text);
  });

  it('joins what follows', () => {
    const next = { first: 6, last: 6, text: 'event: 6\n\n' };
    expect(joinBatches(batch, next)).toEqual({ first: 3, last: 6, text: batch.text + next.text });
    expect(joinBatches(undefined, next)).toBe(next);
  });
});
