import { describe, expect, it } from '@jest/globals';
import { matchRoute } from './match-route.ts';

describe('matchRoute', () => {
  it.each([
    ['POST', '/v1/chat/completions', 'chat-completions', '/v1/chat/completions'],
    ['POST', '/v1/chat/completions/', 'chat-completions', '/v1/chat/completions'],
    ['POST', '/chat/completions', 'chat-completions', '/v1/chat/completions'],
    ['POST', '/v1/v1/chat/completions', 'chat-completions', '/v1/chat/completions'],
    ['POST', '/api/v1/chat/completions', 'chat-completions', '/v1/chat/completions'],
    ['POST', '/openai/v1/chat/completions', 'chat-completions', '/v1/chat/completions'],
    ['POST', '/api/paas/v4/chat/completions', 'chat-completions', '/v1/chat/completions'],
    ['GET', '/v1/models', 'models', '/v1/models'],
    ['HEAD', '/models', 'models', '/v1/models'],
    ['GET', '/v1/models/glm-4.6', 'model', '/v1/models/glm-4.6'],
    ['GET', '/v1/models/z-ai%2Fglm', 'model', '/v1/models/z-ai%2Fglm'],
    ['GET', '/v1/models/z-ai/glm', 'model', '/v1/models/z-ai/glm'],
    ['GET', '/v1/status', 'status', '/v1/status'],
    ['HEAD', '/v1/status/', 'status', '/v1/status'],
    ['GET', '/openai/v1/status', 'status', '/v1/status'],
    ['GET', '/', 'card', '/'],
    ['GET', '/health', 'health', '/health'],
  ])('%s %s is %s', (method, path, name, canonical) => {
    expect(matchRoute(method, path)).toMatchObject({ kind: 'route', route: { name }, path: canonical });
  });

  it.each([
    ['GET', '/v1/chat/completions', 'wrong-method'],
    ['POST', '/v1/models', 'wrong-method'],
    ['POST', '/health', 'wrong-method'],
    ['POST', '/v1/status', 'wrong-method'],
    ['POST', '/v1/embeddings', 'unsupported'],
    ['POST', '/v1/audio/speech', 'unsupported'],
    ['GET', '/v1/chat/completions/chatcmpl-1', 'unsupported'],
    ['POST', '/v1/moderations', 'unsupported'],
    ['GET', '/v1/nothing', 'unknown'],
    ['GET', '/v1', 'unknown'],
    ['GET', '/healthy', 'unknown'],
    ['GET', '/wp-admin', 'unknown'],
  ])('%s %s is %s', (method, path, kind) => {
    expect(matchRoute(method, path).kind).toBe(kind);
  });

  it('takes no time for hostile paths', () => {
    const startedAtMs = performance.now();
    matchRoute('GET', `${'/'.repeat(32_000)}x`);
    matchRoute('GET', '/v1'.repeat(10_000));
    expect(performance.now() - startedAtMs).toBeLessThan(50);
  });
});
