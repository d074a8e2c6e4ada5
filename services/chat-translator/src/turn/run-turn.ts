import {
  createEventChecker,
  TurnError,
  type ReasoningRendering,
  type TurnEvent,
  type TurnRequest,
  type TurnWarning,
} from '@zai2api/turn';
import { createTurnStages, type TurnStages } from '../answer/stage-turn.ts';
import type { TranslatorSettings } from '../config.ts';
import { createTurnMeter, type TurnMeter, type TurnOrigin } from '../telemetry/turn-meter.ts';
import { withLengths } from './fit-context.ts';
import { openElsewhere, type OpenElsewhereOptions } from './open-elsewhere.ts';
import type { OpenTurn } from './open-turn.ts';
import type { PreparedTurn } from './prepare-turn.ts';

export interface RunTurnOptions extends OpenElsewhereOptions {
  readonly settings: TranslatorSettings;
  /** Estimated tokens of a text. */
  readonly countTokens: (text: string) => number;
  /** Holds every stream to the order rules; costs a little, so not in production. */
  readonly checksEvents: boolean;
}

/** The events of an answer that has begun, as the client is to see them. */
export interface OpenedTurn extends AsyncIterable<TurnEvent[]> {
  /** The name of the upstream that answers. */
  readonly upstream: string;
  /** What the request asked for in vain. */
  readonly warnings: readonly TurnWarning[];
}

/** A turn on its way, from its first try to its last event. */
export interface RunningTurn {
  /** Once the answer has begun. Rejects with the TurnError of one that did not begin. */
  readonly opened: Promise<OpenedTurn>;
  /**
   * Gives the credential back and counts the turn, by the error that its answer ended in where that came behind its events. Idempotent; to be
   * called when nobody takes events any more, however the turn went.
   */
  close(error?: TurnError): void;
}

export interface TurnListener {
  readonly origin: TurnOrigin;
  /** Hears of an answer that began and ended in an error. */
  readonly onError: (error: TurnError) => void;
}

/** Runs one turn. Aborting the signal, or leaving the events, ends the upstream call. */
export function runTurn(
  turn: PreparedTurn,
  signal: AbortSignal,
  { origin, onError, ...options }: RunTurnOptions & TurnListener,
): RunningTurn {
  const meter = createTurnMeter(options.metrics, turn, origin);
  let open: OpenTurn | undefined;
  let endedIn: TurnError | undefined;
  let isClosed = false;

  async function begin(): Promise<OpenedTurn> {
    open = await openElsewhere(turn, signal, options).catch((reason: unknown) => {
      throw withLengths(TurnError.from(reason), turn, options.countTokens);
    });
    if (isClosed) open.release();
    meter.begin(open.warnings);
    const stages = createTurnStages(turn, {
      rendering: renderingOf(turn.request, options.settings),
      listsSources: options.settings.ZAI_SEARCH_SOURCES === 'list',
      tokens: options.metrics.tokens,
      countTokens: options.countTokens,
      limitsTokens: open.driver.limitsTokens !== true,
    });
    const batches = stageBatches(open.batches, stages, meter, options.checksEvents, (error) => {
      endedIn = error;
      onError(error);
    });
    const { driver, warnings } = open;
    return { [Symbol.asyncIterator]: () => batches, upstream: driver.name, warnings };
  }

  const opened = begin();
  // Whoever closes early does not wait for it any more.
  opened.catch((reason: unknown) => (endedIn = TurnError.from(reason)));
  return {
    opened,
    close(error) {
      isClosed = true;
      open?.release(endedIn);
      meter.close(signal.aborted ? TurnError.from(signal.reason) : (endedIn ?? error));
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
  meter: TurnMeter,
  checksEvents: boolean,
  onError: (error: TurnError) => void,
): AsyncGenerator<TurnEvent[]> {
  const checker = checksEvents ? createEventChecker() : undefined;
  try {
    for await (const batch of batches) {
      const shown = stages.push(batch);
      for (const event of shown) checker?.push(event);
      meter.push(shown);
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
