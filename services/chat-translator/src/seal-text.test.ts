import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createTextSeals } from './seal-text.ts';

describe('a text seal', () => {
  const { seal, unseal } = createTextSeals('secret')('key:one');

  it.each([
    ['', 'empty'],
    ['AQ==', 'too short'],
    ['not base64 at all!', 'no Base64'],
    ['A'.repeat(200), 'foreign'],
  ])('does not read %j (%s)', (sealed) => {
    expect(unseal(sealed)).toBeUndefined();
  });

  it('reads nothing that was changed at any place', () => {
    const bytes = Buffer.from(seal('What I thought.'), 'base64');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(unseal(changed.toString('base64'))).toBeUndefined();
    }
  });

  it('reads what another process with the same secret sealed, and nobody else’s', () => {
    const sealed = createTextSeals('secret')('key:one').seal('thought');
    expect(unseal(sealed)).toBe('thought');
    expect(createTextSeals('other')('key:one').unseal(sealed)).toBeUndefined();
    expect(createTextSeals(undefined)('key:one').unseal(sealed)).toBeUndefined();
  });

  it.each(['key:two', 'anonymous', '', 'key:one '])('opens for its tenant alone: not for %j', (tenant) => {
    const sealFor = createTextSeals('secret');
    expect(sealFor(tenant).unseal(seal('thought'))).toBeUndefined();
    expect(unseal(sealFor(tenant).seal('thought'))).toBeUndefined();
    expect(sealFor(tenant).unseal(sealFor(tenant).seal('thought'))).toBe('thought');
  });

  it('gives every text back and shows none of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 8 }), (text) => {
        const sealed = seal(text);
        expect(unseal(sealed)).toBe(Buffer.from(text).toString());
        expect(Buffer.from(sealed, 'base64').includes(text)).toBe(false);
      }),
    );
    expect(seal('thought')).not.toBe(seal('thought'));
  });
});
