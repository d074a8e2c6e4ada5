import { describe, expect, it } from '@jest/globals';
import { matchRoute } from './match-route.ts';
import { routes } from './routes.ts';

/** Every base of contract 5.8. */
const aliases = [
  '',
  '/v1',
  '/v1/v1',
  '/api/v1',
  '/openai/v1',
  '/anthropic/v1',
  '/api/paas/v4',
  '/api/anthropic/v1',
] as const;

const endpoints = routes.filter(({ isPublic }) => !isPublic);

describe('matchRoute', () => {
  it.each(endpoints.map(({ name, template, methods }) => [name, template, methods] as const))(
    'H19: %s has the same handler under every alias',
    (name, template, methods) => {
      const endpoint = template.replace('/v1', '').replace(/\{id.*?\}/, 'glm-4.6');
      for (const base of aliases) {
        for (const method of methods) {
          for (const path of [base + endpoint, `${base}${endpoint}/`]) {
            expect(matchRoute(method, path)).toMatchObject({
              kind: 'route',
              route: { name },
              path: `/v1${endpoint}`,
            });
          }
        }
        expect(matchRoute('PATCH', base + endpoint)).toMatchObject({ kind: 'wrong-method', route: { name } });
      }
    },
  );

  it.each([
    ['GET', '/v1/models/z-ai%2Fglm', 'model', '/v1/models/z-ai%2Fglm'],
    ['GET', '/v1/models/z-ai/glm', 'model', '/v1/models/z-ai/glm'],
    ['GET', '/v1//models', 'models', '/v1/models'],
    ['GET', '/', 'card', '/'],
    ['HEAD', '/', 'card', '/'],
    ['GET', '/health', 'health', '/health'],
    ['HEAD', '/api/hello', 'hello', '/api/hello'],
    ['GET', '/anthropic/api/hello', 'hello', '/anthropic/api/hello'],
    ['POST', '/v1/responses/input_tokens', 'response-input-tokens', '/v1/responses/input_tokens'],
    ['DELETE', '/v1/responses/resp_1', 'response', '/v1/responses/resp_1'],
  ])('%s %s is %s', (method, path, name, canonical) => {
    expect(matchRoute(method, path)).toMatchObject({ kind: 'route', route: { name }, path: canonical });
  });

  it.each([
    ['GET', '/v1/chat/completions', 'wrong-method'],
    ['POST', '/v1/models', 'wrong-method'],
    ['POST', '/health', 'wrong-method'],
    ['POST', '/v1/status', 'wrong-method'],
    ['GET', '/v1/responses', 'wrong-method'],
    ['POST', '/v1/responses/resp_1', 'wrong-method'],
    ['GET', '/v1/messages/count_tokens', 'wrong-method'],
    ['GET', '/v1/nothing', 'unknown'],
    ['GET', '/v1', 'unknown'],
    ['GET', '/v1/health', 'unknown'],
    ['GET', '/healthy', 'unknown'],
    ['GET', '/wp-admin', 'unknown'],
    ['POST', '/v1/chat', 'unknown'],
    ['POST', '/v1/filesystem', 'unknown'],
  ])('%s %s is %s', (method, path, kind) => {
    expect(matchRoute(method, path).kind).toBe(kind);
  });

  it.each([
    ['/v1/audio/speech', true],
    ['/audio/transcriptions', true],
    ['/v1/moderations', true],
    ['/v1/files', true],
    ['/v1/files/file-1/content', true],
    ['/v1/chat/completions/chatcmpl-1', true],
    ['/v1/responses/compact', true],
    ['/v1/messages/batches', true],
    ['/anthropic/v1/messages/batches/b/results', true],
    ['/v1/conversations', true],
    ['/v1/realtime/sessions', true],
    ['/v1/images/edits', false],
    ['/v1/images/variations', false],
    ['/v1/videos', false],
  ])('H04: %s is not supported', (path, isUnknown) => {
    expect(matchRoute('POST', path)).toEqual({ kind: 'unsupported', isUnknown });
  });

  it('takes no time for hostile paths', () => {
    const startedAtMs = performance.now();
    matchRoute('GET', `${'/'.repeat(32_000)}x`);
    matchRoute('GET', '/v1'.repeat(10_000));
    matchRoute('GET', '/a/'.repeat(10_000));
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});
