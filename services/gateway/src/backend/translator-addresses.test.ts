import { describe, expect, it } from '@jest/globals';
import { createTranslatorAddresses } from './translator-addresses.ts';

describe('createTranslatorAddresses', () => {
  it('gives each the first turn, and all others behind it', () => {
    const addresses = createTranslatorAddresses(['http://a:1', 'https://b/sub/path/', 'http://c'], () => 0);
    const turns = Array.from({ length: 4 }, () => addresses.inOrder().map(({ origin }) => origin));
    expect(turns).toEqual([
      ['http://a:1', 'https://b', 'http://c'],
      ['https://b', 'http://c', 'http://a:1'],
      ['http://c', 'http://a:1', 'https://b'],
      ['http://a:1', 'https://b', 'http://c'],
    ]);
    expect(addresses.inOrder()[0]).toEqual({ origin: 'https://b', base: '/sub/path' });
  });

  it('puts one that could not be reached last for two seconds', () => {
    let nowMs = 0;
    const addresses = createTranslatorAddresses(['http://a', 'http://b'], () => nowMs);
    const [a] = addresses.inOrder();
    addresses.unreachable(a!);
    const first = (): string => addresses.inOrder()[0]!.origin;
    expect([first(), first(), first()]).toEqual(['http://b', 'http://b', 'http://b']);
    nowMs = 2_000;
    expect(new Set([first(), first()])).toEqual(new Set(['http://a', 'http://b']));
  });

  it('still gives the only one', () => {
    const addresses = createTranslatorAddresses(['http://a'], () => 0);
    addresses.unreachable(addresses.inOrder()[0]!);
    expect(addresses.inOrder()).toHaveLength(1);
  });
});
