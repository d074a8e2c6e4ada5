import type { FinishReason } from './turn-event.ts';
import type { TurnToolCall, TurnWarning } from './turn-request.ts';
import type { Usage } from './usage.ts';

/** One block of an answer, whole. */
export type TurnBlock =
  { readonly type: 'reasoning' | 'text'; readonly text: string } | ({ readonly type: 'tool-call' } & TurnToolCall);

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
  readonly sources: readonly { readonly url: string; readonly title: string }[];
  /** Why the answer could not be given as asked; absent for every ordinary answer. */
  readonly refusal?: string | undefined;
  readonly finishReason: FinishReason;
  /** The stop sequence of the request that ended the answer, when one did. */
  readonly stopSequence?: string | undefined;
  readonly usage: Usage;
}
