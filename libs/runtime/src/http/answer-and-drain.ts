import type { ParameterizedContext } from 'koa';
import type { RequestState } from './assign-request-id.ts';
import { onResponseClose } from './on-response-close.ts';

/** How long a client may go on sending a body that was refused. */
const MAX_DRAIN_MS = 5_000;

/**
 * Answers a request whose body is still on its way and then closes the connection, but goes on reading and dropping the body for a
 * moment: a connection that is closed with unread bytes is reset, and the client would see that instead of the answer.
 */
export function answerAndDrain(ctx: ParameterizedContext<RequestState>, body: string): void {
  const { req: request, res: response } = ctx;
  ctx.respond = false;
  response.setHeader('content-length', Buffer.byteLength(body));
  response.write(body);
  const end = (): void => void response.end();
  const timer = setTimeout(end, MAX_DRAIN_MS);
  onResponseClose(response, () => clearTimeout(timer));
  request.once('end', end);
  request.unpipe();
  request.resume();
}
