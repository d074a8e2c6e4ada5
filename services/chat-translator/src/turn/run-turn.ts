import {
  createEventChecker,
  TurnError,
  type ReasoningRendering,
  type TurnEvent,
  type TurnRequest,
} from '@zai2api/turn';
import { createTurnStages, type TurnStages } from '../answer/stage-turn.ts';
import type { TranslatorSettings } from '../config.ts';
import type { DriverTurn } from '../upstream-driver.ts';
import { openTurn, type OpenTurn, type OpenTurnOptions } from './open-turn.ts';

export interface RunTurnOptions extends OpenTurnOptions {
  readonly settings: TranslatorSettings;
  /** Estimated tokens of a text. */
  readonly countTokens: (text: string) => number;
  /** Holds every stream to the order rules; costs a little, so not in production. */
  readonly checksEvents: boolean;
}

/** A turn on its way, from its first try to its last event. */
export interface RunningTurn {
  /** The events as the client is to see them, once the answer has begun. Rejects with the TurnError of one that did not begin. */
  readonly opened: Promise<AsyncIterable<TurnEvent[]>>;
  /** Gives the credential back. Idempotent; to be called when nobody takes events any more, however the turn went. */
  close(): void;
}

/**
 * Runs one turn. `onError` hears of an answer that began and ended in an error. Aborting the signal, or leaving the events, ends the upstream call.
 */
export function runTurn(
  turn: DriverTurn,
  signal: AbortSignal,
  { onError, ...options }: RunTurnOptions & { readonly onError: (error: TurnError) => void },
): RunningTurn {
  const startedAtMs = performance.now();
  let open: OpenTurn | undefined;
  let endedIn: TurnError | undefined;
  let isClosed = false;

  async function begin(): Promise<AsyncIterable<TurnEvent[]>> {
    open = await openTurn(turn, signal, options);
    if (isClosed) open.release();
    options.metrics.timeToFirstToken.observe((performance.now() - startedAtMs) / 1000);
    const stages = createTurnStages(turn, {
      rendering: renderingOf(turn.request, options.settings),
      listsSources: options.settings.ZAI_SEARCH_SOURCES === 'list',
      tokens: options.metrics.tokens,
      countTokens: options.countTokens,
    });
    return stageBatches(open.batches, stages, options.checksEvents, (error) => {
      endedIn = error;
      onError(error);
    });
  }

  const opened = begin();
  // Whoever closes early does not wait for it any more.
  opened.catch(() => undefined);
  return {
    opened,
    close() {
      isClosed = true;
      open?.release(endedIn);
    },
  };
}

function renderingOf({ reasoning, responseFormat }: TurnRequest, settings: TranslatorSettings): ReasoningRendering {
  if (!reasoning.visible) return 'none';
  const house = settings.ZAI_INCLUDE_THINKING ? settings.ZAI_THINK_TAGS_MODE : 'none';
  const rendering = reasoning.rendering ?? house;
  // Thinking in front of JSON would break it.
  return rendering === 'none' || responseFormat.type === 'text' ? rendering : 'separate';
}

/** The batches as the client is to see them. Leaving them, and so the upstream call, is up to their end or to the limits of the request. */
async function* stageBatches(
  batches: AsyncIterable<TurnEvent[]>,
  stages: TurnStages,
  checksEvents: boolean,
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
