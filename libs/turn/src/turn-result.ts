import type { FinishReason } from './turn-event.ts';
import type { TurnToolCall, TurnWarning } from './turn-request.ts';
import type { Usage } from './usage.ts';

/** One whole answer: what the events of its stream add up to. Reasoning blocks are joined by a blank line, text blocks as they are. */
export interface TurnResult {
  readonly id: string;
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly warnings: readonly TurnWarning[];
  readonly reasoning: string;
  readonly text: string;
  readonly toolCalls: readonly TurnToolCall[];
  readonly sources: readonly { readonly url: string; readonly title: string }[];
  /** Why the answer could not be given as asked; absent for every ordinary answer. */
  readonly refusal?: string | undefined;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
}
