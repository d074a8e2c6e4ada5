import type { TurnError } from './turn-error.ts';
import type { TurnWarning } from './turn-request.ts';
import type { Usage } from './usage.ts';

/** Why an answer ended, whatever the dialects call it. */
export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter';

/**
 * The neutral stream. One `turn-start` first; at most one block open at a time; block numbers rise; deltas only for the open
 * block and never empty; at most one `refusal`, between blocks; exactly one `turn-end` or `turn-error` last. `checkEvents` holds these rules.
 */
export type TurnEvent =
  | {
      readonly type: 'turn-start';
      readonly id: string;
      readonly model: string;
      /** Milliseconds since the epoch. */
      readonly createdAt: number;
      readonly warnings: readonly TurnWarning[];
    }
  | { readonly type: 'reasoning-start' | 'text-start'; readonly block: number }
  | { readonly type: 'reasoning-delta' | 'text-delta'; readonly block: number; readonly text: string }
  | { readonly type: 'tool-call-start'; readonly block: number; readonly callId: string; readonly name: string }
  | { readonly type: 'tool-call-delta'; readonly block: number; readonly argumentsText: string }
  | { readonly type: 'text-end' | 'tool-call-end'; readonly block: number }
  /** `summary` is the upstream's own line about the thinking, such as `Thought for 2 seconds`, when it sent one. */
  | { readonly type: 'reasoning-end'; readonly block: number; readonly summary?: string }
  | { readonly type: 'source'; readonly url: string; readonly title: string }
  /** Said in place of an answer that could not be given as asked; the turn still ends properly. Never empty. */
  | { readonly type: 'refusal'; readonly text: string }
  | {
      readonly type: 'turn-end';
      readonly reason: FinishReason;
      readonly usage: Usage;
      /** The stop sequence of the request that ended the answer, when one did. */
      readonly stopSequence?: string;
    }
  | { readonly type: 'turn-error'; readonly error: TurnError };

/** True for the events that a client sees as the beginning of the answer: after one of them no retry is allowed. */
export function isContentEvent(event: TurnEvent): boolean {
  return event.type !== 'turn-start' && event.type !== 'turn-end' && event.type !== 'turn-error';
}
