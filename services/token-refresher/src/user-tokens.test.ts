import { describe, expect, it } from '@jest/globals';
import { ConfigError, Secret } from '@zai2api/runtime';
import { parseUserTokens } from './user-tokens.ts';

const jwt = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

describe('parseUserTokens', () => {
  it('reads none, one or several, each once', () => {
    expect(parseUserTokens(undefined)).toEqual([]);
    const one = jwt({ id: 'ada' });
    const tokens = parseUserTokens(new Secret(` ${one}, opaque,,${one} `));
    expect(tokens.map(({ configured, owner }) => [configured, owner?.userId])).toEqual([
      [one, 'ada'],
      ['opaque', undefined],
    ]);
  });

  it('names them without telling them', () => {
    const [first] = parseUserTokens(new Secret('opaque'));
    expect(first?.id).toMatch(/^user-[0-9a-f]{12}$/);
  });

  it('refuses what cannot be a header, without repeating it', () => {
    const parse = (): unknown => parseUserTokens(new Secret('good, b\nad-secret'));
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(expect.objectContaining({ message: expect.not.stringContaining('ad-secret') as unknown }));
  });
});
