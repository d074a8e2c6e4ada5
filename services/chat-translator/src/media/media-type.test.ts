import { describe, expect, it } from '@jest/globals';
import { decodeText, detectMediaType } from './media-type.ts';

const bytesOf = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const jpeg = bytesOf([0xff, 0xd8, 0xff, 0xe0, 0, 16], 'JFIF\0');
const mp4 = bytesOf([0, 0, 0, 24], 'ftypisom', [0, 0, 0, 1], 'isomavc1');
const pdf = bytesOf('%PDF-1.7\n');
const zip = bytesOf('PK', [5, 6], '\0'.repeat(18));
const exe = bytesOf('MZ', [0x90, 0, 3, 0, 0, 0]);

describe('detectMediaType', () => {
  it.each([
    ['image', png, 'image/png'],
    ['image', jpeg, 'image/jpeg'],
    ['image', bytesOf('GIF89a'), 'image/gif'],
    ['image', bytesOf('RIFF', [4, 0, 0, 0], 'WEBPVP8 '), 'image/webp'],
    ['video', mp4, 'video/mp4'],
    ['document', pdf, 'application/pdf'],
  ] as const)('%s of %#: %s', async (kind, bytes, mediaType) => {
    expect((await detectMediaType(kind, bytes))?.mediaType).toBe(mediaType);
  });

  it.each([
    ['image', 'SVG', bytesOf('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['image', 'SVG behind an XML declaration', bytesOf('<?xml version="1.0"?><svg/>')],
    ['image', 'HTML', bytesOf('<!doctype html><html><img></html>')],
    ['image', 'text', bytesOf('hello')],
    ['image', 'nothing', bytesOf('')],
    ['image', 'a PDF', pdf],
    ['image', 'a film', mp4],
    ['image', 'a program', exe],
    ['video', 'a picture', png],
    ['video', 'text', bytesOf('hello')],
    ['document', 'a picture', jpeg],
    ['document', 'a program', exe],
    ['document', 'an archive', zip],
  ] as const)('takes for %s no %s', async (kind, _what, bytes) => {
    expect(await detectMediaType(kind, bytes)).toBeUndefined();
  });
});

describe('decodeText', () => {
  it('takes UTF-8 alone', () => {
    expect(decodeText(Buffer.from('naïve 猫\n'))).toBe('naïve 猫\n');
    expect(decodeText(Buffer.from([0xff, 0xfe, 0x41, 0]))).toBeUndefined();
    expect(decodeText(Buffer.from('a\0b'))).toBeUndefined();
  });

  it('reads a view, not the memory behind it', () => {
    expect(decodeText(Buffer.from('abcdef').subarray(2, 4))).toBe('cd');
  });
});
