import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseBase64, parseDataUrl } from './parse-data-url.ts';

describe('parseDataUrl', () => {
  it.each([
    ['data:image/png;base64,AAAA', 'image/png', 'AAAA'],
    ['DATA:IMAGE/PNG;BASE64,AAAA', 'image/png', 'AAAA'],
    ['data:text/plain;charset=utf-8;base64,SGk=', 'text/plain', 'SGk='],
    ['data:;base64,SGk', '', 'SGk'],
    ['data:image/svg+xml ; base64,SG\r\nk=', 'image/svg+xml', 'SGk='],
  ])('%j', (url, mediaType, base64) => {
    expect(parseDataUrl(url)).toEqual({ mediaType, base64 });
  });

  it.each([
    '',
    'data:',
    'data:image/png;base64',
    'data:image/png;base64,',
    'data:image/png,AAAA',
    'data:image/png;base64,A%41A',
    'data:image;base64,AAAA',
    'data:image/p"ng;base64,AAAA',
    'https://a.example/data:image/png;base64,AAAA',
    'AAAA',
  ])('%j is none', (url) => {
    expect(parseDataUrl(url)).toBeUndefined();
  });
});

describe('parseBase64', () => {
  it('takes any bytes, with or without line breaks and padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const base64 = Buffer.from(bytes).toString('base64');
        expect(parseBase64(base64)).toBe(base64);
        expect(parseBase64(base64.replaceAll(/.{5}/g, '$&\r\n'))).toBe(base64);
        const bare = base64.replaceAll('=', '');
        expect(parseBase64(bare)).toBe(bare);
        expect(Buffer.from(atob(bare), 'latin1').equals(bytes)).toBe(true);
      }),
    );
  });

  it.each(['', ' ', '=', 'A', 'AAAAA', 'AA=', 'A===', 'AA==AA==', 'AA=A', 'AA-_', 'hé==', 'data:,x'])(
    '%j is none',
    (text) => {
      expect(parseBase64(text)).toBeUndefined();
    },
  );

  it('takes 20 MB', () => {
    const large = 'A'.repeat(20 * 1024 * 1024);
    expect(parseBase64(large)).toBe(large);
    expect(parseBase64(`${large}!!!!`)).toBeUndefined();
  });
});
