/** How hard the model should think; the union of what clients send (contract 1.7). */
export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
/** How hard the model is to think: see `reasoningEfforts`. */
export type ReasoningEffort = (typeof reasoningEfforts)[number];

/** One message in the neutral form. Tool results and earlier calls keep their ids. */
export type TurnMessage =
  | { readonly role: 'system'; readonly text: string }
  | { readonly role: 'user'; readonly text: string; readonly attachments: readonly TurnAttachment[] }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly toolCalls: readonly TurnToolCall[];
      /** What the model thought before it said this, where the client gave it back; never empty. */
      readonly reasoning?: string | undefined;
    }
  | {
      readonly role: 'tool';
      readonly callId: string;
      readonly text: string;
      /** What the tool showed besides its text; absent for none. */
      readonly attachments?: readonly TurnAttachment[] | undefined;
    };

/** A picture, film or document that a message of a user or a tool brings along. */
export interface TurnAttachment {
  readonly kind: 'image' | 'video' | 'document';
  /** Base64 bytes with their declared type, or an address that only the guarded fetcher may follow. */
  readonly source:
    | { readonly type: 'data'; readonly mediaType: string; readonly base64: string }
    | { readonly type: 'url'; readonly url: string };
  readonly filename?: string | undefined;
  /** Path of the part in the client's request, for its errors. */
  readonly param: string;
}

/** What a message brings along, whoever sent it. */
export function attachmentsOf(message: TurnMessage): readonly TurnAttachment[] {
  return message.role === 'user' || message.role === 'tool' ? (message.attachments ?? []) : [];
}

/** A call that the model made earlier. */
export interface TurnToolCall {
  readonly callId: string;
  readonly name: string;
  /** JSON text, as the client sent it. */
  readonly argumentsText: string;
}

/** A function that the client runs for the model. */
export interface ToolDefinition {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. */
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of the arguments object; `{}` takes anything. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** True: arguments that the schema refuses are never delivered. */
  readonly strict: boolean;
  /** Path of the schema in the client's request, for its errors. */
  readonly param?: string | undefined;
}

/** Whether and which tool must be called; `tools` narrows the choice to some of the declared ones. */
export interface ToolChoice {
  readonly mode: 'auto' | 'none' | 'required';
  readonly tools?: readonly string[] | undefined;
}

/** What the answer's text must be. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json-object' }
  | {
      readonly type: 'json-schema';
      readonly name: string;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict: boolean;
      /** Path of the schema in the client's request, for its errors. */
      readonly param?: string | undefined;
    };

/** What a client asks for, free of any dialect. `undefined` means: the client said nothing. */
export interface TurnRequest {
  /** The name as asked for, suffixes and all; answers echo it. */
  readonly model: string;
  readonly messages: readonly TurnMessage[];
  readonly reasoning: {
    readonly enabled?: boolean | undefined;
    /** What is right when neither the request nor the name of the model says anything; the house's way when undefined. */
    readonly byDefault?: boolean | undefined;
    readonly effort?: ReasoningEffort | undefined;
    /** False: think, but do not show it. */
    readonly visible: boolean;
    /** How thinking is to be shown in this answer; the house's way when undefined. */
    readonly rendering?: ReasoningRendering | undefined;
  };
  readonly webSearch?: boolean | undefined;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  /** False: at most one call in an answer. */
  readonly parallelToolCalls: boolean;
  readonly responseFormat: ResponseFormat;
  /** True: a conversation that is too long loses its middle instead of being refused. */
  readonly dropsMiddle?: boolean | undefined;
  readonly sampling: {
    readonly temperature?: number | undefined;
    readonly topP?: number | undefined;
    /** Thinking and answer together. 0: the answer is empty and nothing is asked of the upstream. */
    readonly maxOutputTokens?: number | undefined;
    readonly stop: readonly string[];
  };
}

/**
 * How thinking is shown: `separate` in its own field, `think` as `<think>…</think>` in the text, `pure` in the text without tags but with
 * the upstream's `> ` quoting, `raw` as the upstream's `<details>` block, `none` not at all.
 */
export const reasoningRenderings = ['separate', 'think', 'pure', 'raw', 'none'] as const;
/** How thinking is shown: see `reasoningRenderings`. */
export type ReasoningRendering = (typeof reasoningRenderings)[number];

/** An input that has no effect; told to the client in a header, never dropped in silence. */
export interface TurnWarning {
  readonly code: 'ignored-parameter';
  /** Path of the field, such as `logit_bias`. */
  readonly field: string;
}
