import { Readable } from 'node:stream';
import { isRecord } from '@zai2api/dialects';
import { abortOnClose, onInnerHop, type Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { Middleware, ParameterizedContext } from 'koa';
import { Agent, type Dispatcher } from 'undici';
import type { GatewayState } from '../gateway-state.ts';
import { bodyToForward } from './body-to-forward.ts';
import { forwardedRequestHeaders, forwardedResponseHeaders } from './forwarded-headers.ts';
import { pumpAnswer } from './pump-answer.ts';
import { createTranslatorAddresses } from './translator-addresses.ts';

/** The chat-translator behind HTTP. */
export interface HttpBackend {
  readonly handle: Middleware<GatewayState>;
  /** Closes the connections. Requests that run are cut. */
  close(): Promise<void>;
}

/** The translator is near: a connection that takes longer will not come. */
const CONNECT_TIMEOUT_MS = 5_000;

/** A name may stand for several addresses, and some of them for translators that are gone. Node's own 250 ms are short for a busy machine. */
const NEXT_ADDRESS_AFTER_MS = 1_000;

/** No connection came about, so nothing was sent. */
const connectFaults: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Forwards requests to the translators, in turns, bytes both ways, unparsed. The inner call is aborted when the client leaves. A translator
 * to which there is no connection is passed over, as nothing was sent to it; no other failure is tried again here. When none of them can be
 * reached that is a TurnError `upstream_unreachable`.
 */
export function createHttpBackend({
  translatorUrls,
  logger,
}: {
  translatorUrls: readonly string[];
  logger: Logger;
}): HttpBackend {
  const addresses = createTranslatorAddresses(translatorUrls, () => performance.now());
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // A connection for each request: one that stops closes those it has, and a request on its way on one of them would be lost. By our own
    // hand, by taking every time that a translator offers to keep it as none: told to close, it would cut bodies that it did not read.
    keepAliveTimeout: 1,
    keepAliveTimeoutThreshold: Number.MAX_SAFE_INTEGER,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    // How long an answer may take is the translator's to decide: it has the deadlines of the turn.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function request(
    ctx: ParameterizedContext<GatewayState>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const body = bodyToForward(ctx);
    let failure: unknown;
    for (const address of addresses.inOrder()) {
      try {
        return await onInnerHop(() =>
          agent.request({
            origin: address.origin,
            path: `${address.base}${ctx.url}`,
            method: ctx.method,
            headers: forwardedRequestHeaders(ctx.headers, ctx.state),
            body: body && Readable.from(body, { objectMode: false }),
            signal,
          }),
        );
      } catch (reason) {
        if (signal.aborted || TurnError.is(reason)) throw reason;
        failure = reason;
        // By its field, not by class: Node's own errors may come from another realm.
        const code = isRecord(reason) ? reason['code'] : undefined;
        if (!connectFaults.has(code) || body?.hasBegun === true) break;
        addresses.unreachable(address);
        logger.warn(
          { translator: address.origin, code, requestId: ctx.state.requestId },
          'a translator cannot be reached',
        );
      }
    }
    throw new TurnError('upstream_unreachable', 'The service behind the gateway cannot be reached.', {
      layer: 'gateway',
      reason: 'upstream_unreachable',
      cause: failure,
    });
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
