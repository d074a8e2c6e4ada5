import type { ClientCodecContext, ClientDialect, DecodedRequest } from '@zai2api/dialects';
import { abortOnClose, noteServerError, onResponseClose, within, type RequestState } from '@zai2api/runtime';
import { createEventFold, TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import { estimateInput } from '../answer/estimate-input.ts';
import { createEventStreamResponse } from '../answer/send-stream.ts';
import type { BodyReader } from '../body/body-reader.ts';
import { tenantOf } from '../responses/tenant-of.ts';
import { prepareTurn, type PreparedTurn, type PrepareTurnOptions } from '../turn/prepare-turn.ts';
import { asksForNothing, runEmptyTurn } from '../turn/run-empty-turn.ts';
import { runTurn, type OpenedTurn, type RunTurnOptions } from '../turn/run-turn.ts';
import { setIgnoredParametersHeader } from './ignored-parameters-header.ts';

/** What a request that asks for a turn is answered with. */
export interface AnswerTurnOptions extends PrepareTurnOptions, RunTurnOptions {
  /** What the codecs of one request are given: its seals are those of its tenant. */
  readonly clientContextFor: (tenant: string) => ClientCodecContext;
  readonly bodies: BodyReader;
}

/**
 * One client request from its body to the last byte of its answer: streamed or whole, in the words of `dialect`. `decode` says how the
 * request is read where there is more to it than its body.
 */
export async function answerTurn(
  ctx: ParameterizedContext<RequestState>,
  dialect: ClientDialect,
  options: AnswerTurnOptions,
  decode = async (): Promise<DecodedRequest> =>
    dialect.decodeRequest(await options.bodies.readJson(ctx), options.clientContextFor(tenantOf(ctx))),
): Promise<void> {
  const { settings, metrics } = options;
  const signal = abortOnClose(ctx.res);
  const { turn, ...form } = await readTurn(ctx.state, decode, signal, options).catch((reason: unknown) => {
    const { code, details } = TurnError.from(reason);
    if (!signal.aborted) metrics.errors.inc({ code, layer: details.layer });
    throw reason;
  });
  setIgnoredParametersHeader(ctx, turn.warnings);
  let endedIn: TurnError | undefined;
  function failed(error: TurnError): void {
    noteServerError(error, { hasStatus: !ctx.res.headersSent });
    if (!signal.aborted)
      options.logger.warn({ err: error, requestId: ctx.state.requestId }, 'the answer ended in an error');
  }

  const origin = { dialect: dialect.name, stream: form.stream };
  const running = asksForNothing(turn)
    ? runEmptyTurn(turn, { ...options.clientContextFor(tenantOf(ctx)), countTokens: options.countTokens })
    : runTurn(turn, signal, { ...options, origin, tenant: tenantOf(ctx), onError: failed });
  onResponseClose(ctx.res, () => running.close(endedIn));
  const forgetBody = (): void => options.bodies.forget(ctx);
  running.opened.then(forgetBody, forgetBody);
  try {
    if (form.stream) {
      const countInput = (): number => estimateInput(turn.request, options.countTokens);
      const stream = createEventStreamResponse(ctx.res, {
        encoder: form.createStreamEncoder({ countInput }),
        heartbeatMs: settings.ZAI_SSE_HEARTBEAT_SECONDS * 1000,
        signal,
      });
      // Until the grace is over a failure is still an HTTP status; then the client gets a sign of life (contract 5.3).
      const early = await within(running.opened, settings.ZAI_FIRST_BYTE_GRACE * 1000);
      if (early) describeAnswer(ctx, early);
      ctx.respond = false;
      if (!early) stream.begin();
      const batches = early ?? (await running.opened.catch((reason: unknown) => TurnError.from(reason)));
      if (batches instanceof TurnError) {
        failed(batches);
        stream.fail(batches);
      } else {
        await stream.pump(batches);
      }
    } else {
      const fold = createEventFold();
      const opened = await running.opened;
      describeAnswer(ctx, opened);
      for await (const batch of opened) for (const event of batch) fold.push(event);
      ctx.body = await form.encodeResponse(fold.result());
    }
  } catch (reason) {
    endedIn = TurnError.from(reason);
    throw reason;
  }
}

/** Who answers, and what is ignored, as far as it is known before the headers go. */
export function describeAnswer(
  ctx: ParameterizedContext<RequestState>,
  { upstream, warnings, cache }: OpenedTurn,
): void {
  ctx.set('x-gateway-upstream', upstream);
  if (cache !== undefined) ctx.set('x-gateway-cache', cache);
  setIgnoredParametersHeader(ctx, warnings);
}

/** The decoded body is left behind here: the Base64 of its attachments would stay in memory as long as the answer runs. */
async function readTurn(
  { keyName }: RequestState,
  decode: () => Promise<DecodedRequest>,
  signal: AbortSignal,
  options: AnswerTurnOptions,
): Promise<Omit<DecodedRequest, 'request' | 'warnings'> & { readonly turn: PreparedTurn }> {
  const { request, warnings, ...form } = await decode();
  const turn = await prepareTurn(
    { request, warnings, stream: form.stream, ...(keyName !== undefined && { keyName }) },
    signal,
    options,
  );
  return { ...form, turn };
}
