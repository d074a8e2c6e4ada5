import type Koa from 'koa';
import type { Logger } from '../create-logger.ts';

/** Logs what Koa reports outside every middleware. A client that left during a stream is no error. */
export function reportAppErrors(app: Pick<Koa, 'on'>, logger: Logger): void {
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
    logger.error({ err: error }, 'an error escaped the error boundary');
  });
}
