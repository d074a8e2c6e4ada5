import { Transform } from 'node:stream';
import { TurnError } from '@zai2api/turn';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

/**
 * Refuses bodies above the limit: at once by their declared length, else while they are read. A chunked body is counted in
 * `ctx.state.requestBody`, which readers get by `requestBodyOf`.
 */
export function limitBody(maxBytes: number): Middleware<GatewayState> {
  return (ctx, next) => {
    const { req: request } = ctx;
    const declared = request.headers['content-length'];
    if (declared !== undefined) {
      if (Number(declared) > maxBytes) {
        ctx.set('connection', 'close');
        throw tooLarge(maxBytes);
      }
    } else if (request.headers['transfer-encoding'] !== undefined) {
      const counted = countBytes(maxBytes);
      // Nobody may be reading yet when the limit is passed.
      counted.on('error', () => ctx.set('connection', 'close'));
      request.once('close', () => {
        if (!request.complete) counted.destroy(new DOMException('The client closed the request.', 'AbortError'));
      });
      ctx.state.requestBody = request.pipe(counted);
    }
    return next();
  };
}

function countBytes(maxBytes: number): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
}

function tooLarge(maxBytes: number): TurnError {
  return new TurnError('request_too_large', `The request body is larger than ${maxBytes} bytes.`, { layer: 'client' });
}
