import type { EncodedRequest } from '@zai2api/dialects';

/** The request for a prompt at the official API. */
export function createBarePlatformCall(base: string): (prompt: string) => EncodedRequest {
  const headers = { authorization: 'Bearer benchmark-key', 'content-type': 'application/json' };
  return (prompt) => ({
    method: 'POST',
    url: `${base}/api/paas/v4/chat/completions`,
    headers,
    body: JSON.stringify({ model: 'glm-4.7', messages: [{ role: 'user', content: prompt }], stream: true }),
  });
}
