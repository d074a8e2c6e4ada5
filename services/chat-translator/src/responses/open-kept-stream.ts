import type { DecodedResponseRequest } from '@zai2api/dialects';
import { onResponseClose, within, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import { createEventStreamResponse } from '../answer/send-stream.ts';
import { describeAnswer } from '../routes/answer-turn.ts';
import type { AnswerResponseOptions } from './answer-response-options.ts';
import { prepare, sendOptionsOf, startTurn } from './detached-turn.ts';
import { encodeBeginning, keep, recordOf, sizeOf } from './keep-response.ts';
import { sendTexts } from './send-texts.ts';
import { tenantOf } from './tenant-of.ts';

/**
 * Begins a streamed response that is kept from its first event on; failures before it are HTTP statuses (contract 5.3). What is returned sends
 * what was begun, up to its end or until the client leaves.
 */
export async function openKeptStream(
  ctx: ParameterizedContext<RequestState>,
  decoded: DecodedResponseRequest,
  signal: AbortSignal,
  options: AnswerResponseOptions,
): Promise<() => Promise<void>> {
  const turn = await prepare(ctx, decoded, signal, options);
  const { running, abort, onError } = startTurn(ctx, turn, true, options);
  // Until its client knows its id, nobody can come back to it.
  const leave = (): void => abort(TurnError.from(signal.reason));
  signal.addEventListener('abort', leave, { once: true });
  try {
    const early = await within(running.opened, options.settings.ZAI_FIRST_BYTE_GRACE * 1000);
    if (early) describeAnswer(ctx, early);
    const encoder = decoded.createStreamEncoder();
    const begun = encodeBeginning(encoder, encoder.begin(turn.request.model));
    const record = recordOf(decoded, encoder, begun);
    const isKept = await keep(ctx, record, options);
    options.bodies.forget(ctx);
    if (isKept) {
      signal.removeEventListener('abort', leave);
      const { id } = decoded;
      const tenant = tenantOf(ctx);
      const startSize = sizeOf(record);
      const run = { id, tenant, background: false, encoder, begun, startSize, turn: running, abort, onError };
      const texts = options.runs.start(run);
      return () => sendTexts(ctx, texts, { ...sendOptionsOf(options), signal });
    }
  } catch (reason) {
    // An answer that has begun and that nobody reads would hold its connection and its credential for good.
    const error = TurnError.from(reason);
    abort(error);
    running.close(error);
    throw reason;
  }
  decoded.forgoStore();
  const stream = createEventStreamResponse(ctx.res, {
    ...sendOptionsOf(options),
    encoder: decoded.createStreamEncoder(),
    signal,
  });
  onResponseClose(ctx.res, () => running.close());
  return async () => {
    ctx.respond = false;
    const batches = await running.opened.catch((reason: unknown) => TurnError.from(reason));
    if (batches instanceof TurnError) {
      onError(batches);
      stream.fail(batches);
    } else {
      await stream.pump(batches);
    }
  };
}
