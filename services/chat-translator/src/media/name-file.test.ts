import { describe, expect, it } from '@jest/globals';
import { nameFile } from './name-file.ts';

describe('nameFile', () => {
  it.each([
    [undefined, 'image-1.png'],
    ['', 'image-1.png'],
    ['..', 'image-1.png'],
    ['/', 'image-1.png'],
    ['cat.jpeg', 'cat.jpeg'],
    ['cat', 'cat.png'],
    ['../../etc/passwd', 'passwd.png'],
    ['C:\\pictures\\my cat.png', 'my cat.png'],
    ['a"\r\nX-Evil: 1\u202e.png', 'a X-Evil: 1 .png'],
    ['猫.png', '猫.png'],
    [`${'x'.repeat(300)}.png`, `${'x'.repeat(96)}.png`],
  ])('%j is %s', (asked, name) => expect(nameFile(asked, 'image-1', 'png')).toBe(name));
});
