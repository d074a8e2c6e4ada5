import { expect, it } from '@jest/globals';
import { findUnknownSettings } from './find-unknown-settings.ts';
import { setting } from './setting.ts';

it('finds what no setting reads, and says which of it is known from elsewhere', () => {
  const shape = { ZAI_PORT: setting.integer({ default: 1, description: 'x' }) };
  const env = { ZAI_PORT: '1', ZAI_PROT: '2', ZAI_MAX_JSON_SCAN: '3', PATH: '/bin' };
  expect(findUnknownSettings(shape, env)).toEqual([
    { name: 'ZAI_PROT', isKnownElsewhere: false },
    { name: 'ZAI_MAX_JSON_SCAN', isKnownElsewhere: true },
  ]);
});
