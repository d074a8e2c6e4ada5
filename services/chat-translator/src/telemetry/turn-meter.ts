import { INVALID_STRUCTURED_OUTPUT, INVALID_TOOL_CALL, TOOL_CHOICE_NOT_SATISFIED } from '@zai2api/dialects';
import type { TurnError, TurnEvent, TurnWarning } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';
import type { DriverTurn } from '../upstream-driver.ts';
import { CHAT, PROVIDER } from './gen-ai-names.ts';
import { parameterLabel } from './known-parameters.ts';

/** Where a turn comes from, as far as labels tell it. */
export interface TurnOrigin {
  /** Name of the client dialect. */
  readonly dialect: string;
  /** Whether the client gets a stream. */
  readonly stream: boolean;
}

/** Measures one turn by its events. */
export interface TurnMeter {
  /** The answer has begun; `warnings` are those of the upstream that gives it. */
  begin(warnings: readonly TurnWarning[]): void;
  /** One chunk as the client gets it. */
  push(batch: readonly TurnEvent[]): void;
  /** The turn is over: complete, or with the error that it ended in. Idempotent: the first call counts. */
  close(error?: TurnError): void;
}

const toolFaults: ReadonlySet<string | undefined> = new Set([INVALID_TOOL_CALL, TOOL_CHOICE_NOT_SATISFIED]);

/** A meter that runs from now on; to be closed, however the turn ends. `now` in milliseconds. */
export function createTurnMeter(
  metrics: TranslatorMetrics,
  { request, model, warnings }: Pick<DriverTurn, 'request' | 'model' | 'warnings'>,
  { dialect, stream }: TurnOrigin,
  now: () => number = () => performance.now(),
): TurnMeter {
  const startedAtMs = now();
  const labels = { gen_ai_operation_name: CHAT, gen_ai_provider_name: PROVIDER, gen_ai_request_model: model.id };
  const running = metrics.runningTurns.labels(String(stream));
  const counted = new Set<string>();
  let firstAtMs: number | undefined;
  let lastAtMs = startedAtMs;
  let hasChunk = false;
  let hasCalls = false;
  let hasRefused = false;
  let isClosed = false;

  running.inc();
  countIgnored(warnings);

  function countIgnored(ignored: readonly TurnWarning[]): void {
    for (const { field } of ignored) {
      if (!counted.has(field)) metrics.ignoredParameters.inc({ param: parameterLabel(field) });
      counted.add(field);
    }
  }

  function end(event: Extract<TurnEvent, { type: 'turn-end' }>): void {
    const { inputTokens, outputTokens } = event.usage;
    metrics.tokenUsage.observe({ ...labels, gen_ai_token_type: 'input' }, inputTokens);
    metrics.tokenUsage.observe({ ...labels, gen_ai_token_type: 'output' }, outputTokens);
    if (firstAtMs === undefined || outputTokens < 2) return;
    metrics.timePerOutputToken.observe(labels, (lastAtMs - firstAtMs) / 1000 / (outputTokens - 1));
  }

  function countDemands(error: TurnError | undefined): void {
    const reason = error?.details.reason;
    if (request.tools.length > 0) {
      if (error === undefined) metrics.toolCalls.inc({ outcome: hasCalls ? 'called' : 'not-called' });
      else if (toolFaults.has(reason)) metrics.toolCalls.inc({ outcome: 'invalid' });
    }
    if (request.responseFormat.type === 'text') return;
    if (error === undefined) metrics.structuredOutputs.inc({ outcome: hasRefused ? 'refused' : 'valid' });
    else if (reason === INVALID_STRUCTURED_OUTPUT) metrics.structuredOutputs.inc({ outcome: 'invalid' });
  }

  return {
    begin(ignored) {
      countIgnored(ignored);
      firstAtMs = now();
      lastAtMs = firstAtMs;
      metrics.timeToFirstToken.observe(labels, (firstAtMs - startedAtMs) / 1000);
    },
    push(batch) {
      const atMs = now();
      if (hasChunk) metrics.interChunk.observe((atMs - lastAtMs) / 1000);
      hasChunk = true;
      lastAtMs = atMs;
      for (const event of batch) {
        if (event.type === 'tool-call-start') hasCalls = true;
        else if (event.type === 'refusal') hasRefused = true;
        else if (event.type === 'turn-end') end(event);
      }
    },
    close(error) {
      if (isClosed) return;
      isClosed = true;
      running.dec();
      const outcome = error?.code ?? 'complete';
      metrics.turns.inc({ dialect, model: model.id, stream: String(stream), outcome });
      if (stream) metrics.streamEnds.inc({ reason: endReason(error) });
      // The client that left was told of nothing.
      if (error && error.code !== 'cancelled') metrics.errors.inc({ code: error.code, layer: error.details.layer });
      metrics.requestDuration.observe(
        { ...labels, ...(error && { error_type: error.code }) },
        (now() - startedAtMs) / 1000,
      );
      countDemands(error);
    },
  };
}

/** Who ended a stream (contract 6.2). */
function endReason(error: TurnError | undefined): string {
  switch (error?.code) {
    case undefined:
      return 'complete';
    case 'cancelled':
      return 'client_abort';
    case 'upstream_timeout':
      return 'timeout';
    case 'shutting_down':
      return 'shutdown';
    default:
      return error?.details.layer === 'upstream' ? 'upstream_error' : 'error';
  }
}
