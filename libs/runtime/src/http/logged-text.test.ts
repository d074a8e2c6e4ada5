import { expect, it } from '@jest/globals';
import { loggedHeader, loggedPath } from './logged-text.ts';

it.each([
  [undefined, undefined],
  [['a', 'b'], undefined],
  ['req-1', 'req-1'],
  ['a\u001b[31mb\u00e9', 'a?[31mb?'],
  ['x'.repeat(600), 'x'.repeat(512)],
])('a header %j is logged as %j', (value, logged) => {
  expect(loggedHeader(value)).toBe(logged);
});

it('a path is logged up to a length', () => {
  expect(loggedPath(`/${'x'.repeat(300)}`)).toHaveLength(256);
});
