import { describe, expect, it } from '@jest/globals';
import { encodeFormatInstructions } from './format-instructions.ts';

const schema = { type: 'object', properties: { city: { type: 'string' } } };

describe('the words for the form of an answer', () => {
  it('are none for free text', () => {
    for (const mayCallTools of [true, false]) expect(encodeFormatInstructions({ type: 'text' }, mayCallTools)).toBe('');
  });

  it('demand one JSON object', () => {
    expect(encodeFormatInstructions({ type: 'json-object' }, false)).toBe(
      'The reply is nothing but one JSON object: no prose, no Markdown fence.',
    );
  });

  it('bring the schema along, strict or not', () => {
    for (const strict of [true, false]) {
      const text = encodeFormatInstructions({ type: 'json-schema', name: 'place', schema, strict }, false);
      expect(text).toContain('nothing but one JSON object');
      expect(text).toContain('JSON Schema (place):');
      expect(text.endsWith(JSON.stringify(schema))).toBe(true);
    }
  });

  it('leave room for a call where there are tools', () => {
    expect(encodeFormatInstructions({ type: 'json-object' }, true)).toMatch(/^Unless you call a tool, the reply is /);
  });
});
