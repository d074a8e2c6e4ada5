import type Koa from 'koa';
import type { Logger } from '../create-logger.ts';

/** What a client that leaves causes: in mid-stream, in mid-request, or in the middle of a chunk that it was sending. */
const clientLeft = /^(?:ERR_STREAM_PREMATURE_CLOSE|ECONNRESET|EPIPE|ECONNABORTED|HPE_\w+)$/;

/** Logs what Koa reports outside every middleware, unless it is only a client that left. */
export function reportAppErrors(app: Pick<Koa, 'on'>, logger: Logger): void {
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (clientLeft.test(error.code ?? '')) return;
    logger.error({ err: error }, 'an error escaped the error boundary');
  });
}
