import type { ClientDialect, DecodedRequest, SchemaCheck } from '@zai2api/dialects';
import { abortOnClose, onResponseClose, type RequestState } from '@zai2api/runtime';
import {
  createEventChecker,
  createEventFold,
  TurnError,
  type ReasoningRendering,
  type TurnEvent,
  type TurnRequest,
  type TurnWarning,
} from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import { createEventStreamResponse } from '../answer/send-stream.ts';
import { createTurnStages, type TurnStages } from '../answer/stage-turn.ts';
import { within } from '../answer/within.ts';
import type { TranslatorSettings } from '../config.ts';
import type { AttachmentReader } from '../media/read-attachments.ts';
import type { ModelCatalog } from '../models/model-catalog.ts';
import { readJsonBody } from '../read-json-body.ts';
import { checkSchemas } from '../turn/check-schemas.ts';
import { openTurn, type OpenTurn, type OpenTurnOptions } from '../turn/open-turn.ts';
import { turnTimeouts } from '../turn/turn-timeouts.ts';
import type { DriverTurn } from '../upstream-driver.ts';
import { ignoredByZaiWeb } from '../zai-web/ignored-parameters.ts';

export interface AnswerTurnOptions extends OpenTurnOptions {
  readonly settings: TranslatorSettings;
  readonly catalog: ModelCatalog;
  readonly readAttachments: AttachmentReader;
  readonly checkSchema: SchemaCheck;
  /** Estimated tokens of a text. */
  readonly countTokens: (text: string) => number;
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
  const { turn, ...decoded } = await readTurn(ctx, dialect, signal, options);
  if (turn.warnings.length > 0) ctx.set('x-gateway-ignored-params', turn.warnings.map(({ field }) => field).join(','));

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
  const rendering = renderingOf(turn.request, settings);

  /** The events of an opened turn as the client is to see them; its credential is given back when the response closes. */
  function eventsOf(open: OpenTurn): AsyncIterable<TurnEvent[]> {
    metrics.timeToFirstToken.observe((performance.now() - startedAtMs) / 1000);
    let endedIn: TurnError | undefined;
    onResponseClose(ctx.res, () => open.release(endedIn));
    const stages = createTurnStages(turn, {
      rendering,
      listsSources: settings.ZAI_SEARCH_SOURCES === 'list',
      tokens: metrics.tokens,
      countTokens: options.countTokens,
    });
    return stageBatches(open.batches, stages, options, (error) => {
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
      const encoder = dialect.createStreamEncoder(decoded);
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
      ctx.body = dialect.encodeResponse(fold.result(), decoded);
    }
  } catch (reason) {
    outcome = TurnError.from(reason).code;
    throw reason;
  }
}

/** The decoded body is left behind here: the Base64 of its attachments would stay in memory as long as the answer runs. */
async function readTurn(
  ctx: ParameterizedContext<RequestState>,
  dialect: ClientDialect,
  signal: AbortSignal,
  options: AnswerTurnOptions,
): Promise<Omit<DecodedRequest, 'request' | 'warnings'> & { readonly turn: DriverTurn }> {
  const body = await readJsonBody(ctx, options.settings.ZAI_MAX_BODY_BYTES);
  const { request, warnings, ...form } = offerTools(dialect.decodeRequest(body), options.settings);
  checkSchemas(request, options.checkSchema);
  const turn = await prepareTurn({ request, warnings, stream: form.stream }, signal, options);
  return { ...form, turn };
}

/** The request without its tools where the house offers none. */
function offerTools<Decoded extends Pick<DecodedRequest, 'request' | 'warnings'>>(
  decoded: Decoded,
  { ZAI_FUNCTION_CALL_ENABLED: offered }: TranslatorSettings,
): Decoded {
  const { request, warnings } = decoded;
  if (offered || request.tools.length === 0) return decoded;
  if (request.toolChoice.mode === 'required') {
    throw new TurnError('unsupported', 'Tool calls are switched off here, so none can be demanded.', {
      layer: 'client',
      param: 'tool_choice',
      reason: 'unsupported_value',
    });
  }
  const ignored: TurnWarning = { code: 'ignored-parameter', field: 'tools' };
  return {
    ...decoded,
    request: { ...request, tools: [], toolChoice: { mode: 'auto' } },
    warnings: [...warnings, ignored],
  };
}

async function prepareTurn(
  decoded: Pick<DecodedRequest, 'request' | 'warnings' | 'stream'>,
  signal: AbortSignal,
  { settings, catalog, readAttachments }: AnswerTurnOptions,
): Promise<DriverTurn> {
  const name = decoded.request.model === '' ? settings.ZAI_MODEL_NAME : decoded.request.model;
  const resolved = await catalog.resolve(name, signal);
  const { messages, media } = await readAttachments(decoded.request.messages, resolved.model, signal);
  const { reasoning } = decoded.request;
  const rendering = reasoning.rendering ?? resolved.rendering;
  const request = { ...decoded.request, model: name, messages, reasoning: { ...reasoning, rendering } };
  const { capabilities } = resolved.model;
  return {
    request,
    media,
    warnings: uniqueByField([...decoded.warnings, ...ignoredByZaiWeb(request)]),
    model: resolved.model,
    // The client's own switch, then its effort, then the suffix, then the house's default (contract 1.1).
    thinking:
      request.reasoning.enabled ?? resolved.thinking ?? (settings.ZAI_THINKING_DEFAULT && capabilities.thinking),
    search: request.webSearch ?? resolved.search ?? false,
    timeouts: turnTimeouts(settings, { stream: decoded.stream, model: resolved.model, hasMedia: media.length > 0 }),
  };
}

function renderingOf({ reasoning, responseFormat }: TurnRequest, settings: TranslatorSettings): ReasoningRendering {
  if (!reasoning.visible) return 'none';
  const house = settings.ZAI_INCLUDE_THINKING ? settings.ZAI_THINK_TAGS_MODE : 'none';
  const rendering = reasoning.rendering ?? house;
  // Thinking in front of JSON would break it.
  return rendering === 'none' || responseFormat.type === 'text' ? rendering : 'separate';
}

/** Each ignored field is named once, whoever ignores it. */
const uniqueByField = (warnings: readonly TurnWarning[]): TurnWarning[] => [
  ...new Map(warnings.map((warning) => [warning.field, warning])).values(),
];

/** The batches as the client is to see them. Leaving them, and so the upstream call, is up to their end or to the limits of the request. */
async function* stageBatches(
  batches: AsyncIterable<TurnEvent[]>,
  stages: TurnStages,
  { checksEvents }: AnswerTurnOptions,
  onError: (error: TurnError) => void,
): AsyncGenerator<TurnEvent[]> {
  const checker = checksEvents ? createEventChecker() : undefined;
  try {
    for await (const batch of batches) {
      const shown = stages.push(batch);
      for (const event of shown) checker?.push(event);
      const last = shown.at(-1);
      if (last?.type === 'turn-error') onError(last.error);
      yield shown;
      if (stages.finished || last?.type === 'turn-end' || last?.type === 'turn-error') return;
    }
  } catch (reason) {
    onError(TurnError.from(reason));
    throw reason;
  } finally {
    stages.close();
  }
}
