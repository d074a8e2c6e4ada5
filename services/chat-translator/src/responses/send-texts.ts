import type { Logger, RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import { createTextStream } from '../answer/text-stream.ts';

/** How a stream is kept alive, and whose leaving ends it. */
export interface SendTextsOptions {
  /** Silence after which a comment is sent, in milliseconds; 0 = never. */
  readonly heartbeatMs: number;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Says at once that the stream has begun, whatever is to come. */
  readonly beginsAtOnce?: boolean;
}

/** Answers with an event stream that somebody else writes. Leaves it when the client leaves. Never rejects. */
export async function sendTexts(
  ctx: ParameterizedContext<RequestState>,
  texts: AsyncIterable<string>,
  { heartbeatMs, signal, logger, beginsAtOnce = false }: SendTextsOptions,
): Promise<void> {
  ctx.respond = false;
  const stream = createTextStream(ctx.res, { heartbeatMs, signal });
  if (beginsAtOnce) stream.begin();
  const iterator = texts[Symbol.asyncIterator]();
  let leave: (() => void) | undefined;
  const onAbort = (): void => leave?.();
  // The next text, or undefined when the client left before. A promise for each: one for all of them would hold every text up to the end.
  const readNext = (): Promise<IteratorResult<string> | undefined> =>
    new Promise((resolve, reject) => {
      leave = () => resolve(undefined);
      if (signal.aborted) leave();
      else iterator.next().then(resolve, reject);
    });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (let next = await readNext(); next; next = await readNext()) {
      if (next.done) {
        stream.end('');
        return;
      }
      await stream.write(next.value);
    }
  } catch (reason) {
    logger.error({ err: reason, requestId: ctx.state.requestId }, 'a stream of a kept response broke off');
    ctx.res.destroy();
  } finally {
    signal.removeEventListener('abort', onAbort);
    void iterator.return?.();
  }
}
