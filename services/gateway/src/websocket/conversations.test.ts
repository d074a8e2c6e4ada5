import { describe, expect, it } from '@jest/globals';
import { createConversations } from './conversations.ts';

const of = (items: string) => ({ storedId: undefined, items });

describe('the conversations of all connections', () => {
  it('are each connection’s own, the latest of each lane', () => {
    const conversations = createConversations(10_000);
    const [one, two] = [conversations.open(), conversations.open()];
    one.keep('', 'resp_1', of('1'));
    one.keep('a', 'resp_2', of('2'));
    expect([one.get('resp_1')?.items, one.get('resp_2')?.items, two.get('resp_1')]).toEqual(['1', '2', undefined]);
    one.keep('', 'resp_3', of('3'));
    expect([one.get('resp_1'), one.get('resp_2')?.items, one.get('resp_3')?.items]).toEqual([undefined, '2', '3']);
  });

  it('take up no more than the limit: those used longest ago go first', () => {
    const conversations = createConversations(3_000);
    const connection = conversations.open();
    for (const lane of ['a', 'b', 'c']) connection.keep(lane, lane, of('x'.repeat(700)));
    expect(connection.get('a')).toBeDefined();
    connection.keep('d', 'd', of('x'.repeat(700)));
    expect(['a', 'b', 'c', 'd'].filter((id) => connection.get(id))).toEqual(['a', 'c', 'd']);
    expect(conversations.size()).toBeLessThanOrEqual(3_000);
    connection.keep('e', 'e', of('x'.repeat(4_000)));
    expect([connection.get('e'), conversations.size()]).toEqual([undefined, 0]);
  });

  it('are forgotten with their connection', () => {
    const conversations = createConversations(10_000);
    const connection = conversations.open();
    for (const lane of ['a', 'b']) connection.keep(lane, lane, of('x'));
    connection.close();
    expect(conversations.size()).toBe(0);
  });
});
