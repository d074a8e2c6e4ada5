import { expect, it } from '@jest/globals';
import { findUnknownSettings } from './find-unknown-settings.ts';

it('finds what no setting reads, and says which of it is known from elsewhere', () => {
  const env = { ZAI_PORT: '1', ZAI_PROT: '2', ZAI_MAX_JSON_SCAN: '3', PATH: '/bin' };
  expect(findUnknownSettings(new Set(['ZAI_PORT']), env)).toEqual([
    { name: 'ZAI_PROT', isKnownElsewhere: false },
    { name: 'ZAI_MAX_JSON_SCAN', isKnownElsewhere: true },
  ]);
});
