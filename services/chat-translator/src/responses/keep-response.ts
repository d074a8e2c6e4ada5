import type { DecodedRequest, DecodedResponseRequest, ResponsesStreamEncoder } from '@zai2api/dialects';
import type { RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import type { AnswerResponseOptions } from './answer-response-options.ts';
import type { EventBatch, NewResponse } from './response-store.ts';
import { isResponseStoreUnavailable } from './store-unavailable.ts';
import { tenantOf } from './tenant-of.ts';

/** Why a response is not kept although it should be, for its client: `too-large` or `unavailable`. */
const NOT_KEPT_HEADER = 'x-gateway-response-not-stored';

type Context = ParameterizedContext<RequestState>;

/** What is kept of a response when that begins; whose it is, its request says. */
export type ResponseRecord = Omit<NewResponse, 'tenant'>;

/** A whole answer that is going to be kept, and its request. */
export interface KeptWhole {
  readonly decoded: DecodedRequest;
  /** The conversation is held in memory up to the end of the answer. At most as large as what is kept of one response. */
  readonly holdsConversation: boolean;
}

/** A whole answer is kept once it is whole: nobody can ask for it before. */
export function keepWhole(
  ctx: Context,
  { conversation, ...decoded }: DecodedResponseRequest,
  options: AnswerResponseOptions,
): KeptWhole {
  if (!decoded.store) return { decoded, holdsConversation: false };
  const input = JSON.stringify(conversation);
  if (input.length > options.store.maxResponseSize) {
    // Known before anybody is asked: it need not be held until the answer is there.
    refuse(ctx, 'too-large', options);
    decoded.forgoStore();
    return { decoded, holdsConversation: false };
  }
  return {
    holdsConversation: true,
    decoded: {
      ...decoded,
      async encodeResponse(result) {
        const response = decoded.encodeResponse(result);
        const record = { id: decoded.id, state: 'over' as const, response: JSON.stringify(response), input };
        if (await keep(ctx, record, options)) return response;
        decoded.forgoStore();
        return decoded.encodeResponse(result);
      },
    },
  };
}

/** Begins to keep a response. False when that cannot be, for a reason that the client is told in a header. */
export async function keep(ctx: Context, record: ResponseRecord, options: AnswerResponseOptions): Promise<boolean> {
  const { store, metrics } = options;
  if (sizeOf(record) > store.maxResponseSize) return refuse(ctx, 'too-large', options);
  try {
    await store.begin({ ...record, tenant: tenantOf(ctx) });
    metrics.keptResponses.inc({ outcome: 'kept' });
    return true;
  } catch (reason) {
    if (!isResponseStoreUnavailable(reason)) throw reason;
    return refuse(ctx, 'unavailable', options, reason);
  }
}

function refuse(
  ctx: Context,
  outcome: 'too-large' | 'unavailable',
  { metrics, logger }: AnswerResponseOptions,
  reason?: unknown,
): false {
  metrics.keptResponses.inc({ outcome });
  ctx.set(NOT_KEPT_HEADER, outcome);
  logger.warn({ err: reason, outcome, requestId: ctx.state.requestId }, 'a response is not kept');
  return false;
}

/** What is kept of a response that has just begun, with the events of its beginning. */
export function recordOf(
  decoded: DecodedResponseRequest,
  encoder: ResponsesStreamEncoder,
  events: EventBatch,
): ResponseRecord {
  return {
    id: decoded.id,
    state: 'running',
    response: JSON.stringify(encoder.describe()),
    input: JSON.stringify(decoded.conversation),
    events,
  };
}

/** The first events of a response, as what was written of them. */
export function encodeBeginning(encoder: ResponsesStreamEncoder, text: string): EventBatch {
  return { first: 0, last: encoder.nextSequenceNumber - 1, text };
}

/** The size of what is kept, in UTF-16 units. */
export function sizeOf({ response, input, events }: ResponseRecord): number {
  return response.length + input.length + (events?.text.length ?? 0);
}
