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
    const connections = ['a', 'b', 'c', 'd'].map((id) => ({ id, connection: conversations.open() }));
    for (const { id, connection } of connections.slice(0, 3)) connection.keep('', id, of('x'.repeat(700)));
    expect(connections[0]!.connection.get('a')).toBeDefined();
    connections[3]!.connection.keep('', 'd', of('x'.repeat(700)));
    const left = connections.filter(({ id, connection }) => connection.get(id));
    expect(left.map(({ id }) => id)).toEqual(['a', 'c', 'd']);
    expect(conversations.size()).toBeLessThanOrEqual(3_000);
  });

  it('of one connection give way to each other first', () => {
    const conversations = createConversations(3_000);
    const [quiet, greedy] = [conversations.open(), conversations.open()];
    quiet.keep('', 'resp_1', of('x'.repeat(700)));
    for (const lane of ['a', 'b', 'c']) greedy.keep(lane, lane, of('x'.repeat(500)));
    expect(['a', 'b', 'c'].filter((id) => greedy.get(id))).toEqual(['b', 'c']);
    greedy.keep('d', 'd', of('x'.repeat(2_000)));
    expect(['b', 'c', 'd'].filter((id) => greedy.get(id))).toEqual(['b', 'c']);
    expect(quiet.get('resp_1')).toBeDefined();
  });

  it('are of so many lanes', () => {
    const conversations = createConversations(1_000_000);
    const connection = conversations.open();
    for (let lane = 0; lane < 100; lane++) connection.keep(String(lane), `resp_${lane}`, of(''));
    const kept = Array.from({ length: 100 }, (_, lane) => lane).filter((lane) => connection.get(`resp_${lane}`));
    expect([kept.length, kept[0]]).toEqual([64, 36]);
  });

  it('are forgotten with their connection', () => {
    const conversations = createConversations(10_000);
    const connection = conversations.open();
    for (const lane of ['a', 'b']) connection.keep(lane, lane, of('x'));
    connection.close();
    expect(conversations.size()).toBe(0);
  });
});
