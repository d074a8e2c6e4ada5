import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { repairJson } from './tool-json-repair.ts';
import { createJsonScanner } from './tool-json-scanner.ts';

describe('the scanner', () => {
  it('reads any object to its end and no further', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(0, 1),
        fc.string(),
        (value, indent, behind) => {
          const json = JSON.stringify(value, undefined, indent);
          const scanner = createJsonScanner('object');
          expect(scanner.push(json + behind)).toBe(json.length);
          expect(scanner.state).toBe('complete');
          expect(scanner.sure).toBeLessThan(json.length);
        },
      ),
    );
  });

  it('calls complete only what JSON.parse takes', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\\',
      'u00e9',
      'a',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 16 }), (parts) => {
        const text = `{"a":${parts.join('')}}`;
        const scanner = createJsonScanner('object');
        const used = scanner.push(text);
        if (scanner.state === 'complete') expect(() => void JSON.parse(text.slice(0, used))).not.toThrow();
        else expect(() => void JSON.parse(text)).toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['{"a":"x" y"}', '{"a":"x'],
    ['{"a":"x"', '{"a":"x'],
    ['{"a":12', '{"a":'],
    ['{"a":12,"', '{"a":12,"'],
    ['{"a":[1,2,', '{"a":[1,'],
    ['{"a":"b\\', '{"a":"b'],
    ['{"a":"b\\u00', '{"a":"b'],
    ['{"a":"\\d', '{"a":"'],
    ['{"a": True', '{"a'],
    ['  {', '  {'],
    ['[1]', ''],
  ])('of %j is sure of %j', (text, sure) => {
    const scanner = createJsonScanner('object');
    scanner.push(text);
    expect(text.slice(0, scanner.sure)).toBe(sure);
  });
});

describe('repairJson', () => {
  it.each([
    ['{"a":1}', '{"a":1}'],
    ['{"re":"\\d+\\."}', '{"re":"\\\\d+\\\\."}'],
    ['{"a":"one\n\ttwo"}', '{"a":"one\\n\\ttwo"}'],
    ['{&quot;a&quot;:&quot;b &amp; c&quot;}', '{"a":"b & c"}'],
    ["{'a': True,}", '{"a": true}'],
    ['{"a":"say "hi""}', '{"a":"say \\"hi\\""}'],
  ])('makes of %j %j', (text, json) => {
    expect(repairJson(text)).toBe(json);
  });
});
