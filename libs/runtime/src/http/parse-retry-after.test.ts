import { expect, it } from '@jest/globals';
import { parseRetryAfter } from './parse-retry-after.ts';

const nowMs = Date.UTC(2026, 9, 1, 12, 0, 0);

it.each([
  ['30', 30],
  [' 7 ', 7],
  ['1.5', 2],
  ['0', undefined],
  ['-5', undefined],
  ['0x10', undefined],
  ['Thu, 01 Oct 2026 12:01:30 GMT', 90],
  ['Thu, 01 Oct 2026 11:00:00 GMT', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('reads %p as %p seconds', (header, seconds) => {
  expect(parseRetryAfter(header, nowMs)).toBe(seconds);
});
