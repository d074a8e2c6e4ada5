import { PassThrough, type Readable } from 'node:stream';
import { abortOnClose, onInnerHop, requestBodyOf, type Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware, ParameterizedContext } from 'koa';
import { Agent, type Dispatcher } from 'undici';
import type { GatewayState } from '../gateway-state.ts';
import { forwardedRequestHeaders, forwardedResponseHeaders } from './forwarded-headers.ts';
import { pumpAnswer } from './pump-answer.ts';

/** The chat-translator behind HTTP. */
export interface HttpBackend {
  readonly handle: Middleware<GatewayState>;
  /** Closes the connections. Requests that run are cut. */
  close(): Promise<void>;
}

/** The translator is near: a connection that takes longer will not come. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Forwards requests to the translator, bytes both ways, unparsed. The inner call is aborted when the client leaves. A translator that
 * cannot be reached is a TurnError `upstream_unreachable`.
 */
export function createHttpBackend({ translatorUrl, logger }: { translatorUrl: string; logger: Logger }): HttpBackend {
  const { origin, pathname } = new URL(translatorUrl);
  const base = pathname.replace(/\/$/, '');
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // How long an answer may take is the translator's to decide: it has the deadlines of the turn.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function request(
    ctx: ParameterizedContext<GatewayState>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await onInnerHop(() =>
        agent.request({
          origin,
          path: `${base}${ctx.url}`,
          method: ctx.method,
          headers: forwardedRequestHeaders(ctx.headers, ctx.state.requestId),
          body: bodyToForward(ctx),
          signal,
        }),
      );
    } catch (reason) {
      if (signal.aborted || TurnError.is(reason)) throw reason;
      throw new TurnError('upstream_unreachable', 'The service behind the gateway cannot be reached.', {
        layer: 'gateway',
        reason: 'upstream_unreachable',
        cause: reason,
      });
    }
  }

  return {
    async handle(ctx) {
      const signal = abortOnClose(ctx.res);
      try {
        const { statusCode, headers, body } = await request(ctx, signal);
        ctx.status = statusCode;
        for (const [name, value] of Object.entries(forwardedResponseHeaders(headers))) {
          if (name === 'vary') ctx.vary(value);
          else ctx.set(name, value);
        }
        await pumpAnswer({ ctx, body, signal, logger });
      } finally {
        // What is left of a body that the translator did not want is read and dropped, so that the connection can be used again.
        ctx.req.unpipe();
        ctx.req.resume();
      }
    },
    close: () => agent.destroy(),
  };
}

/** Never the request itself: the client of a failed call destroys its body, and the connection to our caller would go with it. */
function bodyToForward(ctx: ParameterizedContext<GatewayState>): Readable | null {
  const body = requestBodyOf(ctx);
  if (body !== ctx.req) return body;
  return Number(ctx.headers['content-length'] ?? 0) > 0 ? ctx.req.pipe(new PassThrough()) : null;
}
