import {
  openAiResponses,
  readResponseRequest,
  type DecodedRequest,
  type DecodedResponseRequest,
  type ResponsesStreamEncoder,
} from '@zai2api/dialects';
import { abortOnClose, noteServerError, onResponseClose, type Logger, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import { createEventStreamResponse } from '../answer/send-stream.ts';
import { within } from '../answer/within.ts';
import { answerTurn, describeAnswer, nameIgnored, type AnswerTurnOptions } from '../routes/answer-turn.ts';
import { prepareTurn, type PreparedTurn } from '../turn/prepare-turn.ts';
import { runTurn, type RunningTurn } from '../turn/run-turn.ts';
import { findItems } from './find-items.ts';
import type { KeptRuns } from './kept-runs.ts';
import { nothingIsKept, tooLargeToKeep, tooManyInBackground } from './response-refusals.ts';
import type { EventBatch, ResponseStore } from './response-store.ts';
import { sendTexts } from './send-texts.ts';
import { isResponseStoreUnavailable } from './store-unavailable.ts';
import { tenantOf } from './tenant-of.ts';

/** Why a response is not kept although it should be, for its client: `too-large` or `unavailable`. */
const NOT_KEPT_HEADER = 'x-gateway-response-not-stored';

type Context = ParameterizedContext<RequestState>;

export interface AnswerResponseOptions extends AnswerTurnOptions {
  readonly store: ResponseStore;
  readonly runs: KeptRuns;
}

/**
 * `POST /v1/responses` (contract 2). A response that is kept and streamed, or in the background, runs on its own account: its client may
 * leave and come back. All others end with their client. A store that does not answer costs a response its keeping, which it says, but not the
 * answer; in the background there is nothing without it.
 */
export async function answerResponse(ctx: Context, options: AnswerResponseOptions): Promise<void> {
  const held: { decoded: DecodedResponseRequest | undefined } = { decoded: await readRequest(ctx, options) };
  // Whoever takes it holds it alone: the Base64 of its attachments would stay in memory as long as the answer runs.
  const take = (): DecodedResponseRequest => {
    const { decoded } = held;
    if (!decoded) throw new Error('The request was taken already.');
    held.decoded = undefined;
    return decoded;
  };
  const signal = abortOnClose(ctx.res);
  const { background = false, store = false, stream = false } = held.decoded ?? {};
  if (background) {
    const leavePlace = options.runs.reserveBackground(options.settings.ZAI_RESPONSES_MAX_BACKGROUND);
    if (!leavePlace) throw tooManyInBackground();
    const send = await openInBackground(ctx, take(), signal, options).finally(leavePlace);
    await send();
  } else if (store && stream) {
    const send = await openKeptStream(ctx, take(), signal, options);
    await send();
  } else {
    await answerTurn(ctx, openAiResponses, options, () => Promise.resolve(keepWhole(ctx, take(), options)));
  }
}

async function readRequest(ctx: Context, options: AnswerResponseOptions): Promise<DecodedResponseRequest> {
  const { store, settings } = options;
  try {
    const asked = readResponseRequest(await options.bodies.readJson(ctx));
    const found = await findItems(asked, store, tenantOf(ctx));
    const decoded = asked.decode(options.clientContext, found);
    if (settings.ZAI_RESPONSES_TTL > 0) return decoded;
    if (decoded.background) throw nothingIsKept();
    decoded.forgoStore();
    return { ...decoded, store: false };
  } catch (reason) {
    countError(ctx, reason, options);
    throw reason;
  }
}

/** A whole answer is kept once it is whole. */
function keepWhole(
  ctx: Context,
  { conversation, ...decoded }: DecodedResponseRequest,
  options: AnswerResponseOptions,
): DecodedRequest {
  if (!decoded.store) return decoded;
  const input = JSON.stringify(conversation);
  return {
    ...decoded,
    async encodeResponse(result) {
      const response = decoded.encodeResponse(result);
      const record = { id: decoded.id, state: 'over' as const, response: JSON.stringify(response), input };
      if (await keep(ctx, record, options)) return response;
      decoded.forgoStore();
      return decoded.encodeResponse(result);
    },
  };
}

/** Begins to keep a response. False when that cannot be, for a reason that the client is told in a header. */
async function keep(
  ctx: Context,
  record: { id: string; state: 'over' | 'running'; response: string; input: string; events?: EventBatch },
  { store, settings, metrics, logger }: AnswerResponseOptions,
): Promise<boolean> {
  const refuse = (outcome: 'too-large' | 'unavailable'): false => {
    metrics.keptResponses.inc({ outcome });
    ctx.set(NOT_KEPT_HEADER, outcome);
    return false;
  };
  if (sizeOf(record) > settings.ZAI_RESPONSES_MAX_BYTES) return refuse('too-large');
  try {
    await store.begin({ ...record, tenant: tenantOf(ctx) });
    metrics.keptResponses.inc({ outcome: 'kept' });
    return true;
  } catch (reason) {
    if (!isResponseStoreUnavailable(reason)) throw reason;
    logger.warn({ err: reason, requestId: ctx.state.requestId }, 'a response is not kept');
    return refuse('unavailable');
  }
}

/** Sends what was begun, up to its end or until the client leaves. */
type Send = () => Promise<void>;

/** A turn that does not end with its client. */
interface DetachedTurn {
  readonly running: RunningTurn;
  readonly abort: (reason: TurnError) => void;
  readonly onError: (error: TurnError) => void;
}

function startTurn(ctx: Context, turn: PreparedTurn, stream: boolean, options: AnswerResponseOptions): DetachedTurn {
  const controller = new AbortController();
  const { requestId } = ctx.state;
  function onError(error: TurnError): void {
    noteServerError(error, { hasStatus: false });
    if (!controller.signal.aborted) options.logger.warn({ err: error, requestId }, 'the answer ended in an error');
  }
  const origin = { dialect: openAiResponses.name, stream };
  return {
    running: runTurn(turn, controller.signal, { ...options, origin, onError }),
    abort: (reason) => controller.abort(reason),
    onError,
  };
}

/** A streamed response that is kept from its first event on. Failures before it are HTTP statuses (contract 5.3). */
async function openKeptStream(
  ctx: Context,
  decoded: DecodedResponseRequest,
  signal: AbortSignal,
  options: AnswerResponseOptions,
): Promise<Send> {
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

/** A response that nobody waits for. It is kept before anything is done for it, or refused. */
async function openInBackground(
  ctx: Context,
  decoded: DecodedResponseRequest,
  signal: AbortSignal,
  options: AnswerResponseOptions,
): Promise<Send> {
  const { runs, settings, store } = options;
  const turn = await prepare(ctx, decoded, signal, options);
  const encoder = decoded.createStreamEncoder();
  const begun = encodeBeginning(encoder, encoder.queue(turn.request.model));
  const record = recordOf(decoded, encoder, begun);
  const startSize = sizeOf(record);
  if (startSize > settings.ZAI_RESPONSES_MAX_BYTES) throw tooLargeToKeep();
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

async function prepare(
  ctx: Context,
  { request, warnings, stream, background }: DecodedResponseRequest,
  signal: AbortSignal,
  options: AnswerResponseOptions,
): Promise<PreparedTurn> {
  try {
    // What runs in the background has the time of a stream: nobody waits for its first byte.
    const { keyName } = ctx.state;
    const form = { stream: stream || background, ...(keyName !== undefined && { keyName }) };
    const turn = await prepareTurn({ request, warnings, ...form }, signal, options);
    // Who left by now never hears the id, so nobody can come back to it.
    signal.throwIfAborted();
    nameIgnored(ctx, turn.warnings);
    return turn;
  } catch (reason) {
    countError(ctx, reason, options);
    throw reason;
  }
}

type KeptRecord = Parameters<typeof keep>[1];

function recordOf(decoded: DecodedResponseRequest, encoder: ResponsesStreamEncoder, events: EventBatch): KeptRecord {
  return {
    id: decoded.id,
    state: 'running',
    response: JSON.stringify(encoder.describe()),
    input: JSON.stringify(decoded.conversation),
    events,
  };
}

function encodeBeginning(encoder: ResponsesStreamEncoder, text: string): EventBatch {
  return { first: 0, last: encoder.nextSequenceNumber - 1, text };
}

function sizeOf({ response, input, events }: KeptRecord): number {
  return response.length + input.length + (events?.text.length ?? 0);
}

function sendOptionsOf({ settings, logger }: AnswerResponseOptions): { heartbeatMs: number; logger: Logger } {
  return { heartbeatMs: settings.ZAI_SSE_HEARTBEAT_SECONDS * 1000, logger };
}

function countError(ctx: Context, reason: unknown, { metrics }: AnswerResponseOptions): void {
  const { code, details } = TurnError.from(reason);
  if (!ctx.res.closed) metrics.errors.inc({ code, layer: details.layer });
}
