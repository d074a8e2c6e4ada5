import { createLimitStage, createReasoningStage, createSourceListStage, type EventStage } from '@zai2api/dialects';
import type { ReasoningRendering, TurnEvent } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';
import type { DriverTurn } from '../upstream-driver.ts';
import { createTurnAccount } from './account-turn.ts';
import { estimateInput } from './estimate-input.ts';

/** What stands between the events of a driver and the client's dialect. */
export interface TurnStages {
  /** The events as the client is to see them. */
  push(batch: readonly TurnEvent[]): TurnEvent[];
  /** True once the answer was ended here: the upstream is to be let go. */
  readonly finished: boolean;
  /** Books the turn. To be called when it is over, however it ended. */
  close(): void;
}

/** What the events of a turn go through before they are written. */
export interface TurnStagesOptions {
  readonly rendering: ReasoningRendering;
  /** Append the sources to the text. */
  readonly listsSources: boolean;
  readonly tokens: TranslatorMetrics['tokens'];
  readonly countTokens: (text: string) => number;
  /** Ends the answer when its tokens are spent; false where the upstream does so itself. */
  readonly limitsTokens: boolean;
}

/** The stages of one turn. The account stands behind the limits, so that it books what was delivered, and before thinking is hidden. */
export function createTurnStages({ request, model }: DriverTurn, options: TurnStagesOptions): TurnStages {
  const { rendering, tokens, countTokens } = options;
  const { stop } = request.sampling;
  const maxOutputTokens = options.limitsTokens ? request.sampling.maxOutputTokens : undefined;
  const countInput = (): number => estimateInput(request, countTokens);
  const account = createTurnAccount({ tokens, countTokens, countInput });
  const limit =
    stop.length > 0 || maxOutputTokens !== undefined
      ? createLimitStage({
          stop,
          // Editors blindly send more than a model can (contract 1.1).
          maxOutputTokens: maxOutputTokens && Math.min(maxOutputTokens, model.maxOutputTokens ?? Infinity),
          countTokens,
          countInput,
        })
      : undefined;
  const before: EventStage[] = [
    // A list behind JSON would break it.
    ...(options.listsSources && request.responseFormat.type === 'text' ? [createSourceListStage()] : []),
    ...(limit ? [limit] : []),
  ];
  const render = rendering === 'separate' ? undefined : createReasoningStage(rendering);

  return {
    push(batch) {
      const events = before.reduce<readonly TurnEvent[]>((list, stage) => list.flatMap(stage), batch);
      for (const event of events) account.push(event);
      return render ? events.flatMap(render) : [...events];
    },
    get finished() {
      return limit?.finished ?? false;
    },
    close: () => account.close(),
  };
}
