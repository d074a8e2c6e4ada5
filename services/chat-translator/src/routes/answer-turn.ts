import { createReasoningStage, type ClientDialect, type DecodedRequest } from '@zai2api/dialects';
import { abortOnClose, onResponseClose, type RequestState } from '@zai2api/runtime';
import { createEventChecker, createEventFold, TurnError, type ReasoningRendering, type TurnEvent } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import { createEventStreamResponse } from '../answer/send-stream.ts';
import { within } from '../answer/within.ts';
import type { TranslatorSettings } from '../config.ts';
import type { ModelCatalog } from '../models/model-catalog.ts';
import { readJsonBody } from '../read-json-body.ts';
import { openTurn, type OpenTurn, type OpenTurnOptions } from '../turn/open-turn.ts';
import type { DriverTurn } from '../upstream-driver.ts';

export interface AnswerTurnOptions extends OpenTurnOptions {
  readonly settings: TranslatorSettings;
  readonly catalog: ModelCatalog;
  /** Holds every stream to the order rules; costs a little, so not in production. */
  readonly checksEvents: boolean;
}

/** One client request from its body to the last byte of its answer: streamed or whole, in the words of `dialect`. */
export async function answerTurn(
  ctx: ParameterizedContext<RequestState>,
  dialect: ClientDialect,
  options: AnswerTurnOptions,
): Promise<void> {
  const { settings, metrics } = options;
  const signal = abortOnClose(ctx.res);
  const startedAtMs = performance.now();
  const decoded = dialect.decodeRequest(await readJsonBody(ctx, settings.ZAI_MAX_BODY_BYTES));
  const turn = await prepareTurn(decoded, signal, options);
  if (decoded.warnings.length > 0)
    ctx.set('x-gateway-ignored-params', decoded.warnings.map(({ field }) => field).join(','));

  let outcome = 'complete';
  metrics.runningTurns.inc();
  onResponseClose(ctx.res, () => {
    metrics.runningTurns.dec();
    metrics.turns.inc({
      dialect: dialect.name,
      stream: String(decoded.stream),
      outcome: signal.aborted ? 'cancelled' : outcome,
    });
  });
  const { reasoning } = turn.request;
  const rendering = reasoning.visible ? (reasoning.rendering ?? settings.ZAI_THINK_TAGS_MODE) : 'none';

  /** The events of an opened turn as the client is to see them; its credential is given back when the response closes. */
  function eventsOf(open: OpenTurn): AsyncIterable<TurnEvent[]> {
    metrics.timeToFirstToken.observe((performance.now() - startedAtMs) / 1000);
    let endedIn: TurnError | undefined;
    onResponseClose(ctx.res, () => open.release(endedIn));
    return observeBatches(open.batches, rendering, options, (error) => {
      endedIn = error;
      failed(error);
    });
  }

  function failed(error: TurnError): void {
    outcome = error.code;
    if (!signal.aborted)
      options.logger.warn({ err: error, requestId: ctx.state.requestId }, 'the answer ended in an error');
  }

  try {
    const opening = openTurn(turn, signal, options);
    if (decoded.stream) {
      const encoder = dialect.createStreamEncoder({ includeUsage: decoded.includeUsage });
      const stream = createEventStreamResponse(ctx.res, {
        encoder,
        heartbeatMs: settings.ZAI_SSE_HEARTBEAT_SECONDS * 1000,
        signal,
      });
      // Until the grace is over a failure is still an HTTP status; then the client gets a sign of life (contract 5.3).
      const early = await within(opening, settings.ZAI_FIRST_BYTE_GRACE * 1000);
      ctx.respond = false;
      if (!early) stream.begin();
      const open = early ?? (await opening.catch((reason: unknown) => TurnError.from(reason)));
      if (open instanceof TurnError) {
        failed(open);
        stream.fail(open);
      } else {
        await stream.pump(eventsOf(open));
      }
    } else {
      const fold = createEventFold();
      for await (const batch of eventsOf(await opening)) for (const event of batch) fold.push(event);
      ctx.body = dialect.encodeResponse(fold.result());
    }
  } catch (reason) {
    outcome = TurnError.from(reason).code;
    throw reason;
  }
}

async function prepareTurn(
  decoded: DecodedRequest,
  signal: AbortSignal,
  { settings, catalog }: AnswerTurnOptions,
): Promise<DriverTurn> {
  const name = decoded.request.model === '' ? settings.ZAI_MODEL_NAME : decoded.request.model;
  const request = { ...decoded.request, model: name };
  const resolved = await catalog.resolve(name, signal);
  const { capabilities } = resolved.model;
  return {
    request,
    warnings: decoded.warnings,
    model: resolved.model,
    // The client's own switch, then its effort, then the suffix, then the house's default (contract 1.1).
    thinking:
      request.reasoning.enabled ?? resolved.thinking ?? (settings.ZAI_THINKING_DEFAULT && capabilities.thinking),
    search: request.webSearch ?? resolved.search ?? false,
    idleTimeoutMs: (decoded.stream ? settings.ZAI_STREAM_TIMEOUT : settings.ZAI_NON_STREAM_TIMEOUT) * 1000,
  };
}

/** The batches as the client is to see them, with what they tell about themselves counted on the way. */
async function* observeBatches(
  batches: AsyncIterable<TurnEvent[]>,
  rendering: ReasoningRendering,
  { metrics, checksEvents }: AnswerTurnOptions,
  onError: (error: TurnError) => void,
): AsyncGenerator<TurnEvent[]> {
  const stage = rendering === 'separate' ? undefined : createReasoningStage(rendering);
  const checker = checksEvents ? createEventChecker() : undefined;
  for await (const batch of batches) {
    const shown = stage ? batch.flatMap(stage) : batch;
    for (const event of shown) checker?.push(event);
    const last = batch.at(-1);
    if (last?.type === 'turn-error') onError(last.error);
    if (last?.type === 'turn-end') {
      const { inputTokens, outputTokens, exactness } = last.usage;
      metrics.tokens.inc({ type: 'input', exactness }, inputTokens);
      metrics.tokens.inc({ type: 'output', exactness }, outputTokens);
    }
    yield shown;
    if (last?.type === 'turn-end' || last?.type === 'turn-error') return;
  }
}
