import { describe, expect, it } from '@jest/globals';
import { canonicalPath, isAnthropicAlias } from './canonical-path.ts';

const bases = [
  '',
  '/v1',
  '/v1/v1',
  '/api/v1',
  '/openai/v1',
  '/openai/v1/v1',
  '/anthropic/v1',
  '/anthropic/v1/v1',
  '/api/anthropic/v1',
  '/api/paas/v4',
  '//v1/',
];

describe('H19: canonicalPath', () => {
  it.each(bases)('knows every endpoint below %p', (base) => {
    const endpoints = ['/chat/completions', '/completions', '/responses/resp_1/cancel', '/messages/count_tokens'];
    for (const endpoint of endpoints) {
      expect(canonicalPath(base + endpoint)).toBe(`/v1${endpoint}`);
      expect(canonicalPath(`${base}${endpoint}/`)).toBe(`/v1${endpoint}`);
    }
    expect(canonicalPath(`${base}/models/z-ai%2Fglm/x`)).toBe('/v1/models/z-ai%2Fglm/x');
  });

  it.each([
    ['/', '/'],
    ['//', '/'],
    ['', '/v1'],
    ['/v1', '/v1/v1'],
    ['/v2/models', '/v1/v2/models'],
    ['/v1/v1/v1/models', '/v1/v1/models'],
    ['/openai/models', '/v1/openai/models'],
    ['/v1beta/models', '/v1/v1beta/models'],
  ])('does not take %p for an alias of an endpoint', (path, canonical) => {
    expect(canonicalPath(path)).toBe(canonical);
  });
});

describe('isAnthropicAlias', () => {
  it.each(['/anthropic/v1/models', '/api/anthropic/v1/messages', '//anthropic/nothing'])('is true for %s', (path) => {
    expect(isAnthropicAlias(path)).toBe(true);
  });

  it.each(['/v1/messages', '/openai/v1/messages', '/anthropic', '/anthropical/v1/models'])(
    'is false for %s',
    (path) => {
      expect(isAnthropicAlias(path)).toBe(false);
    },
  );
});
