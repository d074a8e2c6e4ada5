import { describe, expect, it } from '@jest/globals';
import { clientDialectForPath, errorDialectForPath } from './by-path.ts';

describe('clientDialectForPath', () => {
  it.each(['/', '/v1', '/v1/models', '/v1/chat/completions/x', '/v1/chat', '//', '/v2/chat/completions', ''])(
    'knows no turn at %p',
    (path) => {
      expect(clientDialectForPath(path)).toBeUndefined();
    },
  );

  it.each([
    '/v1/chat/completions',
    '/v1/chat/completions/',
    '/chat/completions',
    '/v1/v1/chat/completions',
    '/api/v1/chat/completions',
    '/openai/v1/chat/completions',
    '/api/paas/v4/chat/completions',
  ])('speaks chat completions at %s', (path) => {
    expect(clientDialectForPath(path)?.name).toBe('openai-chat');
  });
});

describe('clientDialectForPath, legacy', () => {
  it.each(['/v1/completions', '/completions/', '/api/v1/completions'])('H05: speaks completions at %s', (path) => {
    expect(clientDialectForPath(path)?.name).toBe('openai-completions');
  });
});

it.each(['/v1/responses', '/responses/', '/openai/v1/responses'])('speaks responses at %s', (path) => {
  expect(clientDialectForPath(path)?.name).toBe('openai-responses');
});

describe('errorDialectForPath', () => {
  it.each(['/v1/responses', '/responses/resp_1', '/v1/responses/resp_1/input_items'])(
    'has an error shape of responses for %s',
    (path) => {
      expect(errorDialectForPath(path, {}).name).toBe('openai-responses');
    },
  );

  it.each(['/v1/chat/completions', '/v1/models', '/nowhere'])('has an error shape for %s', (path) => {
    expect(errorDialectForPath(path, {}).name).toBe('openai-chat');
  });
});
