import type { ServerResponse } from 'node:http';
import { errorDialectForPath } from '@zai2api/dialects';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

/**
 * Tells how long it took until the headers of the answer were sent: `server-timing`, and `openai-processing-ms` where the official API has it
 * (contract 5.4).
 */
export function addTimingHeaders(): Middleware<GatewayState> {
  return (ctx, next) => {
    const startedAtMs = performance.now();
    beforeHead(ctx.res, () => {
      const durationMs = performance.now() - startedAtMs;
      ctx.res.setHeader('server-timing', `total;dur=${durationMs.toFixed(1)}`);
      if (errorDialectForPath(ctx.path, ctx.headers).name !== 'anthropic-messages') {
        ctx.res.setHeader('openai-processing-ms', Math.round(durationMs));
      }
    });
    return next();
  };
}

/** Calls `listener` right before the head is written, by whichever way that happens. */
function beforeHead(response: ServerResponse, listener: () => void): void {
  const writeHead = response.writeHead.bind(response) as (...values: unknown[]) => ServerResponse;
  response.writeHead = (...values: unknown[]) => {
    response.writeHead = writeHead;
    listener();
    return writeHead(...values);
  };
}
