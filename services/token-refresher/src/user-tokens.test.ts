import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@zai2api/runtime';
import { parseUserTokens } from './user-tokens.ts';

const jwt = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

describe('parseUserTokens', () => {
  it('reads none, one or several, each once', () => {
    expect(parseUserTokens('', 'ZAI_UPSTREAM_TOKEN')).toEqual([]);
    const one = jwt({ id: 'ada' });
    const tokens = parseUserTokens(` ${one}, opaque,,${one} `, 'ZAI_UPSTREAM_TOKEN');
    expect(tokens.map(({ configured, owner }) => [configured, owner?.userId])).toEqual([
      [one, 'ada'],
      ['opaque', undefined],
    ]);
  });

  it('takes the lines of a file apart too', () => {
    const tokens = parseUserTokens('\none\r\n two , three\n\none\n', 'ZAI_UPSTREAM_TOKEN_FILE');
    expect(tokens.map(({ configured }) => configured)).toEqual(['one', 'two', 'three']);
  });

  it('names them without telling them', () => {
    const [first] = parseUserTokens('opaque', 'ZAI_UPSTREAM_TOKEN');
    expect(first?.id).toMatch(/^user-[0-9a-f]{12}$/);
  });

  it('refuses what cannot be a header, without repeating it', () => {
    const parse = (): unknown => parseUserTokens('good, b\nad-secret', 'ZAI_UPSTREAM_TOKEN');
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(expect.objectContaining({ message: expect.not.stringContaining('ad-secret') as unknown }));
  });
});
