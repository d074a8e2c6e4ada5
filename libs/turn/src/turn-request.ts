/** How hard the model should think; the union of what clients send (contract 1.7). */
export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

/** One message in the neutral form. Tool results and earlier calls keep their ids. */
export type TurnMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls: readonly TurnToolCall[] }
  | { readonly role: 'tool'; readonly callId: string; readonly text: string };

export interface TurnToolCall {
  readonly callId: string;
  readonly name: string;
  /** JSON text, as the client sent it. */
  readonly argumentsText: string;
}

/** What a client asks for, free of any dialect. `undefined` means: the client said nothing. */
export interface TurnRequest {
  /** The name as asked for, suffixes and all; answers echo it. */
  readonly model: string;
  readonly messages: readonly TurnMessage[];
  readonly reasoning: {
    readonly enabled?: boolean | undefined;
    readonly effort?: ReasoningEffort | undefined;
    /** False: think, but do not show it. */
    readonly visible: boolean;
  };
  readonly webSearch?: boolean | undefined;
  readonly sampling: {
    readonly temperature?: number | undefined;
    readonly topP?: number | undefined;
    readonly maxOutputTokens?: number | undefined;
    readonly stop: readonly string[];
  };
}

/** An input that has no effect; told to the client in a header, never dropped in silence. */
export interface TurnWarning {
  readonly code: 'ignored-parameter';
  /** Path of the field, such as `logit_bias`. */
  readonly field: string;
}
