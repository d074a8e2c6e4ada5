import {
  createEventChecker,
  TurnError,
  type ReasoningRendering,
  type TurnEvent,
  type TurnRequest,
  type TurnWarning,
} from '@zai2api/turn';
import { answerKeysOf } from '../answer/answer-key.ts';
import type { SharedAnswers, SharedOutcome } from '../answer/shared-answers.ts';
import type { StartedAnswer } from '../answer/shared-run.ts';
import { createTurnStages, type TurnStages } from '../answer/stage-turn.ts';
import type { TranslatorSettings } from '../config.ts';
import { createTurnMeter, type TurnMeter, type TurnOrigin } from '../telemetry/turn-meter.ts';
import { withLengths } from './fit-context.ts';
import { openElsewhere, type OpenElsewhereOptions } from './open-elsewhere.ts';
import type { PreparedTurn } from './prepare-turn.ts';

/** What a turn is run with. */
export interface RunTurnOptions extends OpenElsewhereOptions {
  readonly settings: TranslatorSettings;
  /** Estimated tokens of a text. */
  readonly countTokens: (text: string) => number;
  /** Holds every stream to the order rules; costs a little, so not in production. */
  readonly checksEvents: boolean;
  /** Keeps and shares the answers to identical questions; absent where each is asked for anew. */
  readonly answers?: SharedAnswers | undefined;
}

/** The events of an answer that has begun, as the client is to see them. */
export interface OpenedTurn extends AsyncIterable<TurnEvent[]> {
  /** The name of the upstream that answers. */
  readonly upstream: string;
  /** What the request asked for in vain. */
  readonly warnings: readonly TurnWarning[];
  /** Where an answer came from that may be kept and shared; undefined for all others. */
  readonly cache?: SharedOutcome | undefined;
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

/** Who asked for a turn, and hears of its end. */
export interface TurnListener {
  readonly origin: TurnOrigin;
  /** Who asks; answers are shared with nobody else. Undefined: with nobody at all. */
  readonly tenant?: string | undefined;
  /** Hears of an answer that began and ended in an error. */
  readonly onError: (error: TurnError) => void;
}

/** Runs one turn. Aborting the signal, or leaving the events, ends the upstream call. */
export function runTurn(
  turn: PreparedTurn,
  signal: AbortSignal,
  { origin, tenant, onError, ...options }: RunTurnOptions & TurnListener,
): RunningTurn {
  const { answers } = options;
  const meter = createTurnMeter(options.metrics, turn, origin);
  let release: StartedAnswer['release'] = () => undefined;
  let endedIn: TurnError | undefined;
  let isClosed = false;

  async function begin(): Promise<OpenedTurn> {
    const keys = answers && tenant !== undefined ? answerKeysOf(turn, tenant) : undefined;
    const { upstream, warnings, batches, ...more } =
      answers && keys
        ? await answers.join(keys, { signal, warnings: turn.warnings }, (shared) =>
            startAnswer(anyonesTurn(turn), shared, options),
          )
        : await startAnswer(turn, signal, options);
    // A shared answer is released when nobody takes it any more.
    if ('release' in more) release = (error) => more.release(error);
    if (isClosed) release();
    meter.begin(warnings);
    const metered = meterBatches(batches, meter, (error) => {
      endedIn = error;
      onError(error);
    });
    const cache = 'outcome' in more ? more.outcome : undefined;
    return { [Symbol.asyncIterator]: () => metered, upstream, warnings, cache };
  }

  const opened = begin();
  // Whoever closes early does not wait for it any more.
  opened.catch((reason: unknown) => (endedIn = TurnError.from(reason)));
  return {
    opened,
    close(error) {
      isClosed = true;
      release(endedIn);
      meter.close(signal.aborted ? TurnError.from(signal.reason) : (endedIn ?? error));
    },
  };
}

/** Without what this client alone asked for in vain: others may be given the answer. */
const anyonesTurn = (turn: PreparedTurn): PreparedTurn => ({ ...turn, warnings: [] });

/** Opens the turn and puts its stages before it. */
async function startAnswer(turn: PreparedTurn, signal: AbortSignal, options: RunTurnOptions): Promise<StartedAnswer> {
  const open = await openElsewhere(turn, signal, options).catch((reason: unknown) => {
    throw withLengths(TurnError.from(reason), turn, options.countTokens);
  });
  const stages = createTurnStages(turn, {
    rendering: renderingOf(turn.request, options.settings),
    listsSources: options.settings.ZAI_SEARCH_SOURCES === 'list',
    tokens: options.metrics.tokens,
    countTokens: options.countTokens,
    limitsTokens: open.driver.limitsTokens !== true,
  });
  return {
    upstream: open.driver.name,
    warnings: open.warnings,
    isFallback: open.isFallback,
    batches: stageBatches(open.batches, stages, options.checksEvents),
    release: (error) => open.release(error),
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
): AsyncGenerator<TurnEvent[]> {
  const checker = checksEvents ? createEventChecker() : undefined;
  try {
    for await (const batch of batches) {
      const shown = stages.push(batch);
      for (const event of shown) checker?.push(event);
      yield shown;
      const last = shown.at(-1);
      if (stages.finished || last?.type === 'turn-end' || last?.type === 'turn-error') return;
    }
  } finally {
    stages.close();
  }
}

/** The same batches, seen by the meter; `onError` hears of the error that they end in. */
async function* meterBatches(
  batches: AsyncIterable<TurnEvent[]>,
  meter: TurnMeter,
  onError: (error: TurnError) => void,
): AsyncGenerator<TurnEvent[]> {
  try {
    for await (const batch of batches) {
      meter.push(batch);
      const last = batch.at(-1);
      if (last?.type === 'turn-error') onError(last.error);
      yield batch;
    }
  } catch (reason) {
    onError(TurnError.from(reason));
    throw reason;
  }
}
