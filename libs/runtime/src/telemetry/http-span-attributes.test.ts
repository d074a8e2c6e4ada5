import { describe, expect, it } from '@jest/globals';
import { isQuietRequest, outgoingSpanAttributes } from './http-span-attributes.ts';

describe('the attributes of an outgoing call', () => {
  it.each([
    ['/api/v2/chat/completions?token=t&signature=s', 'https://chat.z.ai/api/v2/chat/completions'],
    ['/files/a?x#fragment', 'https://chat.z.ai/files/a'],
    ['/#fragment?x', 'https://chat.z.ai/'],
    ['/plain', 'https://chat.z.ai/plain'],
  ])('hold no query (%s)', (path, full) => {
    const attributes = outgoingSpanAttributes({ origin: new URL('https://chat.z.ai').origin, path });
    expect(attributes).toEqual({ 'url.full': full, 'url.query': undefined });
  });
});

describe('quiet requests', () => {
  it.each([
    ['/metrics', true],
    ['/readyz?verbose', true],
    ['/v1/models', false],
    ['/v1/metrics', false],
    [undefined, false],
  ])('%s: %s', (url, quiet) => {
    expect(isQuietRequest(url === undefined ? {} : { url })).toBe(quiet);
  });
});
