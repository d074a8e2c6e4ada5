import { createUsageEstimate } from '@zai2api/dialects';
import type { TurnEvent, Usage } from '@zai2api/turn';
import type { TranslatorMetrics } from '../metrics.ts';

/** Books what one turn cost. */
export interface TurnAccount {
  push(event: TurnEvent): void;
  /** The turn is over, however it ended. Idempotent: a turn is booked once. */
  close(): void;
}

/** What the tokens of a turn are counted with. */
export interface TurnAccountOptions {
  readonly tokens: TranslatorMetrics['tokens'];
  readonly countTokens: (text: string) => number;
  /** Estimated tokens of what went up; asked once at most. */
  readonly countInput: () => number;
}

/**
 * The account of one turn: by the usage of its end, and when it broke off, was cancelled or failed, by an estimate of what had come. A
 * turn of which nothing came cost nothing that we know of.
 */
export function createTurnAccount({ tokens, countTokens, countInput }: TurnAccountOptions): TurnAccount {
  const estimate = createUsageEstimate(countTokens);
  let begun = false;
  let booked = false;

  function book({ inputTokens, outputTokens, cachedInputTokens, reasoningTokens, exactness }: Usage): void {
    booked = true;
    tokens.inc({ type: 'input', exactness }, inputTokens);
    tokens.inc({ type: 'output', exactness }, outputTokens);
    if (cachedInputTokens > 0) tokens.inc({ type: 'cached', exactness }, cachedInputTokens);
    if (reasoningTokens > 0) tokens.inc({ type: 'reasoning', exactness }, reasoningTokens);
  }

  return {
    push(event) {
      begun ||= event.type === 'turn-start';
      if (event.type === 'turn-end') book(event.usage);
      else estimate.push(event);
    },
    close() {
      if (begun && !booked) book(estimate.usage(countInput()));
    },
  };
}
