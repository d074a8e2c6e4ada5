import type http from 'node:http';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * The handler of the admin port. `/livez` says only that the process answers; `/readyz` is 200 or 503 with what is missing and with details; `/startupz` is
 * 503 until the start is complete; `/metrics` is the Prometheus text.
 */
export function createAdminHandler({
  readiness,
  registry,
  servesMetrics,
}: {
  readiness: Readiness;
  registry: Registry;
  servesMetrics: boolean;
}): http.RequestListener {
  const routes: Record<string, () => Answer | Promise<Answer>> = {
    '/livez': () => json(200, { status: 'ok' }),
    '/readyz': () => {
      const missing = readiness.missing();
      const details = readiness.details();
      const also = Object.keys(details).length === 0 ? {} : { details };
      return Object.keys(missing).length === 0
        ? json(200, { status: 'ready', ...also })
        : json(503, { status: 'not ready', missing, ...also });
    },
    '/startupz': () => (readiness.isStarted() ? json(200, { status: 'started' }) : json(503, { status: 'starting' })),
    ...(servesMetrics && {
      '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
    }),
  };

  async function answer(path: string): Promise<Answer> {
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    try {
      return (await route?.()) ?? json(404, { status: 'not found', paths: Object.keys(routes) });
    } catch {
      return json(500, { status: 'failed' });
    }
  }

  return (request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/s, '');
    void answer(path).then(({ status, type, body }) => {
      response.writeHead(status, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        'cache-control': 'no-store',
      });
      response.end(body);
    });
  };
}

function json(status: number, body: unknown): Answer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}
