import { describe, expect, it } from '@jest/globals';
import { encodeCommonHeaders } from './encode-common-headers.ts';
import type { WebProfile } from './web-profile.ts';

const profile: WebProfile = {
  base: 'https://upstream.example',
  signingSecret: 'secret',
  userAgent: 'Browser/1.0',
  language: 'de-DE',
  timeZone: 'Europe/Berlin',
  region: 'overseas',
  deviceId: '00000000-0000-4000-8000-000000000000',
};

describe('encodeCommonHeaders', () => {
  it('asks for a guest with neither Authorization nor Cookie', () => {
    expect(encodeCommonHeaders(profile)).toEqual({
      'User-Agent': 'Browser/1.0',
      Accept: 'application/json',
      'Accept-Language': 'de-DE',
      Origin: 'https://upstream.example',
      Referer: 'https://upstream.example/',
    });
  });

  it('carries a token as Bearer and never the signing secret', () => {
    const headers = encodeCommonHeaders(profile, 'a.b.c');
    expect(headers['Authorization']).toBe('Bearer a.b.c');
    expect(Object.values(headers)).not.toContain('secret');
  });
});
