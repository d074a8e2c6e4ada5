import type { DecodedResponseRequest } from '@zai2api/dialects';
import type { RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import type { AnswerResponseOptions } from './answer-response-options.ts';
import { prepare, sendOptionsOf, startTurn } from './detached-turn.ts';
import { encodeBeginning, recordOf, sizeOf } from './keep-response.ts';
import { tooLargeToKeep } from './response-refusals.ts';
import { sendTexts } from './send-texts.ts';
import { tenantOf } from './tenant-of.ts';

/**
 * Begins a response that nobody waits for. It is kept before anything is done for it, or refused. What is returned answers its client: with
 * its events up to the end, or with the response as it is now.
 */
export async function openInBackground(
  ctx: ParameterizedContext<RequestState>,
  decoded: DecodedResponseRequest,
  signal: AbortSignal,
  options: AnswerResponseOptions,
): Promise<() => Promise<void>> {
  const { runs, store } = options;
  const turn = await prepare(ctx, decoded, signal, options);
  const encoder = decoded.createStreamEncoder();
  const begun = encodeBeginning(encoder, encoder.queue(turn.request.model));
  const record = recordOf(decoded, encoder, begun);
  const startSize = sizeOf(record);
  if (startSize > store.maxResponseSize) throw tooLargeToKeep();
  const { id, stream } = decoded;
  const tenant = tenantOf(ctx);
  await store.begin({ ...record, tenant });
  options.metrics.keptResponses.inc({ outcome: 'kept' });
  options.bodies.forget(ctx);
  const queued = encoder.describe();
  const { running, abort, onError } = startTurn(ctx, turn, stream, options);
  const run = { id, tenant, background: true, encoder, begun, startSize, turn: running, abort, onError };
  const texts = runs.start(run);
  return async () => {
    if (stream) {
      await sendTexts(ctx, texts, { ...sendOptionsOf(options), signal });
    } else {
      await texts[Symbol.asyncIterator]().return?.();
      ctx.body = queued;
    }
  };
}
