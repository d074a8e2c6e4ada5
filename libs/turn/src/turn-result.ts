import type { FinishReason } from './turn-event.ts';
import type { TurnToolCall, TurnWarning } from './turn-request.ts';
import type { Usage } from './usage.ts';

/** A page that an answer rests on. */
export interface TurnSource {
  readonly url: string;
  readonly title: string;
}

/** One block of an answer, whole. */
export type TurnBlock =
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'text';
      readonly text: string;
      /** Those that were named by the end of this text and of no earlier one; absent for none, and where there is no text. */
      readonly sources?: readonly TurnSource[] | undefined;
    }
  | ({ readonly type: 'tool-call' } & TurnToolCall);

/** One whole answer: what the events of its stream add up to. Reasoning blocks are joined by a blank line, text blocks as they are. */
export interface TurnResult {
  readonly id: string;
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly warnings: readonly TurnWarning[];
  /** In the order of the stream, for dialects whose answers are lists of blocks; empty ones included. */
  readonly blocks: readonly TurnBlock[];
  readonly reasoning: string;
  readonly text: string;
  readonly toolCalls: readonly TurnToolCall[];
  readonly sources: readonly TurnSource[];
  /** Why the answer could not be given as asked; absent for every ordinary answer. */
  readonly refusal?: string | undefined;
  readonly finishReason: FinishReason;
  /** The stop sequence of the request that ended the answer, when one did. */
  readonly stopSequence?: string | undefined;
  readonly usage: Usage;
}
