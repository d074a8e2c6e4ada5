import { describe, expect, it } from '@jest/globals';
import { decodeBase64 } from './decode-base64.ts';

describe('decodeBase64', () => {
  it.each([
    ['AAEC', [0, 1, 2]],
    ['AAE=', [0, 1]],
    ['AA==', [0]],
    ['AAE', [0, 1]],
    ['+/+/', [251, 255, 191]],
  ])('%s', (text, bytes) => expect([...decodeBase64(text, 100)]).toEqual(bytes));

  it.each([
    '',
    '=',
    '====',
    'A',
    'AAAAA',
    'AA=',
    'AA==AA==',
    'A=AA',
    'AA\nA',
    'AA A',
    '-_-_',
    'AA%3D',
    'ÄAAA',
    'AAA\0',
  ])('refuses %j', (text) => expect(() => decodeBase64(text, 100)).toThrow('not-base64'));

  it('knows the size before it decodes', () => {
    const text = Buffer.alloc(100).toString('base64');
    expect(decodeBase64(text, 100)).toHaveLength(100);
    expect(() => decodeBase64(text, 99)).toThrow('too-large');
    expect(() => decodeBase64('!'.repeat(200), 99)).toThrow('too-large');
  });
});
