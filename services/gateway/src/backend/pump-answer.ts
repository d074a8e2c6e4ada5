import type { Readable } from 'node:stream';
import { onResponseClose, type Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import { encodeErrorFrame } from './encode-error-frame.ts';

/**
 * Pumps an inner answer to the client as its bytes come, no faster than the client reads; resolves when it is over. When the inside
 * disappears, an event stream ends with the dialect's error event; any other answer throws, and the error boundary answers or cuts.
 */
export async function pumpAnswer(options: {
  readonly ctx: ParameterizedContext<GatewayState>;
  readonly body: Readable;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}): Promise<void> {
  const { ctx, body, signal, logger } = options;
  const { res: response } = ctx;
  const isEventStream = String(response.getHeader('content-type')).startsWith('text/event-stream');
  ctx.respond = false;
  // The headers go out with the first frame, or alone when it does not follow at once.
  const flushing = setImmediate(() => {
    if (!response.headersSent) response.flushHeaders();
  });
  try {
    await pipeToEnd(ctx, body);
  } catch (reason) {
    if (signal.aborted) return;
    const lost = new TurnError('upstream_failed', 'The connection to the service behind the gateway was lost.', {
      layer: 'gateway',
      cause: reason,
    });
    if (!isEventStream || !response.headersSent) throw lost;
    logger.warn({ err: lost, requestId: ctx.state.requestId }, 'a stream was ended by an error event');
    response.end(encodeErrorFrame(lost, ctx));
  } finally {
    clearImmediate(flushing);
  }
}

function pipeToEnd(ctx: ParameterizedContext<GatewayState>, body: Readable): Promise<void> {
  const { res: response } = ctx;
  return new Promise((resolve, reject) => {
    body.once('error', reject);
    body.once('end', () => {
      response.end();
      resolve();
    });
    onResponseClose(response, resolve);
    body.pipe(response, { end: false });
  });
}
