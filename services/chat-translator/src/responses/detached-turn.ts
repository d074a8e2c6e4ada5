import { openAiResponses, type DecodedResponseRequest } from '@zai2api/dialects';
import { noteServerError, type Logger, type RequestState } from '@zai2api/runtime';
import type { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import { setIgnoredParametersHeader } from '../routes/ignored-parameters-header.ts';
import { prepareTurn, type PreparedTurn } from '../turn/prepare-turn.ts';
import { runTurn, type RunningTurn } from '../turn/run-turn.ts';
import type { AnswerResponseOptions } from './answer-response-options.ts';
import { countError } from './count-error.ts';
import { tenantOf } from './tenant-of.ts';

type Context = ParameterizedContext<RequestState>;

/** A turn that does not end with its client. */
export interface DetachedTurn {
  readonly running: RunningTurn;
  /** Ends it. */
  readonly abort: (reason: TurnError) => void;
  /** Notes the error that its answer ends in. */
  readonly onError: (error: TurnError) => void;
}

/** Starts a turn on its own account; whoever starts it sees to its end. */
export function startTurn(
  ctx: Context,
  turn: PreparedTurn,
  stream: boolean,
  options: AnswerResponseOptions,
): DetachedTurn {
  const controller = new AbortController();
  const { requestId } = ctx.state;
  function onError(error: TurnError): void {
    noteServerError(error, { hasStatus: false });
    if (!controller.signal.aborted) options.logger.warn({ err: error, requestId }, 'the answer ended in an error');
  }
  const origin = { dialect: openAiResponses.name, stream };
  return {
    running: runTurn(turn, controller.signal, { ...options, origin, tenant: tenantOf(ctx), onError }),
    abort: (reason) => controller.abort(reason),
    onError,
  };
}

/** Makes a request ready to run. Rejects when its client has left by then, who never heard its id: nobody can come back to it. */
export async function prepare(
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
    signal.throwIfAborted();
    setIgnoredParametersHeader(ctx, turn.warnings);
    return turn;
  } catch (reason) {
    countError(ctx, reason, options);
    throw reason;
  }
}

/** How a kept stream is sent. */
export function sendOptionsOf({ settings, logger }: AnswerResponseOptions): { heartbeatMs: number; logger: Logger } {
  return { heartbeatMs: settings.ZAI_SSE_HEARTBEAT_SECONDS * 1000, logger };
}
