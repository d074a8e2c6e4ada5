import { describe, expect, it } from '@jest/globals';
import { readArgumentPairs } from './tool-pairs.ts';

const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'number' } } };
const read = (text: string): unknown => JSON.parse(readArgumentPairs(text, { name: 'f', parameters, strict: false }));

describe('pairs of keys and values', () => {
  it.each([
    ['', {}],
    ['<arg_key>city</arg_key><arg_value>7</arg_value>', { city: '7' }],
    [
      '<arg_key> days </arg_key>\n <arg_value>7</arg_value> <arg_key>x</arg_key><arg_value>a<b</arg_value>',
      { days: 7, x: 'a<b' },
    ],
    ['<arg_key>lost</arg_key> <arg_key>days</arg_key><arg_value>7</arg_value>', { days: 7 }],
    ['<arg_key>days</arg_key><arg_value>7', {}],
    ['<arg_key>days', {}],
  ])('in %j are %j', (text, members) => {
    expect(read(text)).toEqual(members);
  });

  it.each(['<arg_key>', '<arg_key>a</arg_key>', '<arg_key>a</arg_key><arg_value>'])(
    'are read once, also where %s has no end',
    (piece) => {
      // Takes hours otherwise.
      expect(read(piece.repeat(100_000))).toEqual({});
    },
  );
});
